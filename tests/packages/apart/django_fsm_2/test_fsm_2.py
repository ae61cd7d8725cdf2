import pytest
from django.db import transaction
from django.test import override_settings
from django_fsm import ConcurrentTransition

from apart.django_fsm_2.api import order_with
from apart.django_fsm_2.models import Article, Order, Priority, Ticket
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def test_a_body_does_not_set_a_protected_state(client: APIClient) -> None:
    sent = {"title": "A", "state": "published"}

    created = client.post("/api/articles/", json=sent)

    assert created.status_code == 201, created.text
    article = Article.objects.get()
    assert created.json() == {"id": article.pk, "title": "A", "state": "draft"}
    assert article.state == "draft"
    changed = client.patch(f"/api/articles/{article.pk}/", json={**sent, "title": "B"})
    assert changed.json() == {"id": article.pk, "title": "B", "state": "draft"}
    assert Article.objects.get().title == "B"


def test_a_protected_state_in_a_body_may_be_refused(client: APIClient) -> None:
    with override_settings(MULLET={"REFUSE_READ_ONLY": True}):
        answer = client.post("/api/articles/", json={"title": "A", "state": "published"})

    assert answer.status_code == 422, answer.text
    assert "state" in answer.text
    assert not Article.objects.exists()


def test_the_document_has_no_protected_state_in_a_body(client: APIClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]

    assert set(schemas["ArticleCreate"]["properties"]) == {"title"}
    assert set(schemas["TicketPatch"]["properties"]) == {"title"}
    assert set(schemas["OrderPatch"]["properties"]) == {"note", "state"}


def test_protected_states_that_are_numbers_and_keys(client: APIClient) -> None:
    for name in ("low", "high"):
        Priority.objects.create(name=name)
    states = {"step": 2, "priority_id": "high"}

    created = client.post("/api/tickets/", json={"title": "A", **states})

    assert created.status_code == 201, created.text
    pk = Ticket.objects.get().pk
    assert created.json() == {"id": pk, "title": "A", "step": 1, "priority_id": "low"}
    changed = client.patch(f"/api/tickets/{pk}/", json={"step": 1, "priority_id": "low"})
    assert changed.json() == {"id": pk, "title": "A", **states}
    assert Ticket.objects.filter(**states).exists()
    assert client.get("/api/tickets/").json() == [{"step": 2, "priority": "high"}]
    assert_constant_queries(
        lambda: client.get("/api/tickets/"), lambda: Ticket.objects.create(title="A")
    )


def test_a_transition_sets_a_protected_state_once(client: APIClient) -> None:
    article = Article.objects.create(title="A")
    path = f"/api/articles/{article.pk}/publish/"

    assert client.post(path).json() == {"id": article.pk, "title": "A", "state": "published"}
    assert Article.objects.get().state == "published"
    assert client.post(path).status_code == 409


def test_a_prepared_query_of_a_state(client: APIClient) -> None:
    article = Article.objects.create(title="A")
    path = "/api/articles/?state="

    for _ in range(2):
        assert [row["id"] for row in client.get(f"{path}draft").json()] == [article.pk]
        assert client.get(f"{path}published").json() == []
    article.publish()
    article.save()
    assert [row["title"] for row in client.get(f"{path}published").json()] == ["A"]
    assert client.get(f"{path}draft").json() == []
    assert_constant_queries(
        lambda: client.get(f"{path}draft"), lambda: Article.objects.create(title="A")
    )


def test_a_body_sets_a_state_that_is_not_protected(client: APIClient) -> None:
    path = f"/api/orders/{Order.objects.create().pk}/"

    assert client.patch(path, json={"state": "gone"}).status_code == 422
    assert client.patch(path, json={"state": "paid"}).json()["state"] == "paid"
    assert Order.objects.get().state == "paid"


def test_of_two_transitions_at_a_time_one_fails() -> None:
    """As `save()` asks for the state that the row had, with a statement made once or not."""
    for _ in range(2):
        pk = Order.objects.create().pk
        first, second = order_with(pk).get(), order_with(pk).get()
        first.pay()
        first.save()
        second.pay()
        with pytest.raises(ConcurrentTransition), transaction.atomic():
            second.save()
        first.note = "Thanks"
        first.save()
        assert Order.objects.get(pk=pk).note == "Thanks"
