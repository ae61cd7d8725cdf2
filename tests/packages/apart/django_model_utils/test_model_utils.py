import pytest

from apart.django_model_utils.models import Article, Cellar, Kitchen, Note, Place
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def test_each_place_is_shown_as_what_it_is(client: APIClient) -> None:
    Kitchen.objects.create(name="K", stoves=3)
    Cellar.objects.create(name="C", bottles=90)
    Place.objects.create(name="P")

    assert client.get("/api/places/").json() == [
        {"name": "K", "stoves": 3},
        {"name": "C", "bottles": 90},
        {"name": "P"},
    ]
    assert_constant_queries(
        lambda: client.get("/api/places/"), lambda: Kitchen.objects.create(name="K", stoves=3)
    )


def test_a_list_with_places_and_notes_makes_constant_queries(client: APIClient) -> None:
    def add() -> None:
        article = Article.objects.create(title="A", place=Place.objects.create(name="P"))
        Note.all_objects.create(article=article, text="gone", is_removed=True)
        Note.all_objects.create(article=article, text="here")

    assert_constant_queries(lambda: client.get("/api/articles/"), add)
    shown = client.get("/api/articles/").json()
    assert [[note["text"] for note in row["notes"]] for row in shown] == [
        [note.text for note in article.notes.all()] for article in Article.objects.order_by("pk")
    ]


def test_a_new_article_has_the_times_and_the_state_that_django_gives(client: APIClient) -> None:
    created = client.post("/api/articles/", json={"title": "A", "status": "draft"}).json()
    article = Article.objects.get()

    assert article.status == "draft"
    assert article.created == article.modified
    assert created["published_at"] is None
    assert client.post("/api/articles/", json={"title": "A", "status": "gone"}).status_code == 422


def test_a_change_of_state_is_noted(client: APIClient) -> None:
    article = Article.objects.create(title="A")
    path = f"/api/articles/{article.pk}/"

    answer = client.patch(path, json={"title": "B", "status": "published"})

    changed = Article.objects.get()
    assert answer.json() == {"before": "A", "now": "B"}
    assert changed.modified > article.modified == article.created == changed.created
    assert changed.published_at is not None
    assert client.patch(path, json={"status": "draft"}).json() == {"before": None, "now": "B"}
    assert Article.objects.get().published_at == changed.published_at


def test_the_manager_of_a_state_is_prepared(client: APIClient) -> None:
    Article.objects.create(title="A")
    expected = Article.objects.create(title="A", status="published")

    for _ in range(2):
        [row] = client.get("/api/published/?title=A").json()
        assert row["id"] == expected.pk
        assert client.get("/api/published/count/?title=A").json() == 1
        assert client.get("/api/published/count/?title=B").json() == 0


def test_what_is_softly_deleted_is_not_shown_and_stays(client: APIClient) -> None:
    article = Article.objects.create(title="A")
    Note.all_objects.create(article=article, text="long ago")
    path = f"/api/articles/{article.pk}/notes/"

    assert client.get(path).json() == [{"text": "long ago"}]
    assert client.delete(path).status_code == 204
    assert client.get(path).json() == []
    assert Note.all_objects.get().is_removed


def test_a_manager_that_filters(client: APIClient) -> None:
    article = Article.objects.create(title="A")
    for text in ("short", "long"):
        Note.all_objects.create(article=article, text=text)

    assert client.get("/api/notes/long/").json() == [{"text": "long"}]
