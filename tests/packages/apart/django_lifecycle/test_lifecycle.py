import pytest

from apart.django_lifecycle.models import Article, PlainArticle, Seen
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db(transaction=True)


def seen() -> list[str]:
    found = [seen.text for seen in Seen.objects.order_by("pk")]
    Seen.objects.all().delete()
    return found


def of_django() -> list[str]:
    """What the hooks see when Django saves an article that is filled as its forms fill it."""
    article = PlainArticle()
    article.title = "A"
    article.save()
    article = PlainArticle.objects.get(pk=article.pk)
    article.title, article.status = "B", "published"
    article.save()
    article.delete()
    return seen()


@pytest.mark.parametrize("way", ["", "async/"])
def test_hooks_see_what_bodies_write(client: APIClient, way: str) -> None:
    expected = of_django()

    for _ in range(2):
        created = client.post("/api/articles/", json={"title": "A"})
        assert created.status_code == 201, created.text
        assert created.json()["slug"] == "a"
        changes = {"title": "B", "status": "published"}
        changed = client.patch(f"/api/articles/draft/{way}", json=changes)
        assert changed.json() == {**created.json(), **changes, "slug": "b"}
        assert client.delete("/api/articles/published/").status_code == 204
        assert seen() == expected
    assert "published draft" in expected
    assert "committed published" in expected


def test_hooks_know_what_has_not_changed(client: APIClient) -> None:
    Article.objects.create(title="A")
    Article.objects.update(slug="kept")
    seen()

    assert client.patch("/api/articles/draft/", json={"title": "A"}).json()["slug"] == "kept"
    assert seen() == ["before save kept", "committed draft"]


def test_what_a_schema_does_not_show_is_not_loaded(client: APIClient) -> None:
    Article.objects.create(title="A")

    assert client.get("/api/articles/?status=draft").json() == [{"title": "A"}]
    assert_constant_queries(
        lambda: client.get("/api/articles/?status=draft"),
        lambda: Article.objects.create(title="A"),
    )
