import pytest
from django.contrib.contenttypes.models import ContentType

from apart.django_polymorphic.models import Album, Film, Loan, Medium, Shelf
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known_types() -> None:
    """Django keeps them in memory, which would be fewer queries the second time."""
    for model in (Medium, Film, Album):
        ContentType.objects.get_for_model(model)


def add() -> None:
    film = Film.objects.create(title="Same", minutes=90)
    album = Album.objects.create(title="Same", tracks=12)
    medium = Medium.objects.create(title="Other")
    for each in (film, album, medium):
        Loan.objects.create(who="Ann", medium=each)
    Shelf.objects.create(label="S").media.add(film, album, medium)


ROWS = [
    {"title": "Same", "minutes": 90},
    {"title": "Same", "tracks": 12},
]


def kinds() -> list[str]:
    return [medium.kind for medium in Medium.objects.order_by("pk")]


def test_a_union_shows_each_row_as_what_it_is(client: APIClient) -> None:
    add()

    assert client.get("/api/media/").json() == [*ROWS, {"title": "Other", "kind": "medium"}]
    assert_constant_queries(lambda: client.get("/api/media/"), add)


def test_a_property_is_that_of_the_subclass(client: APIClient) -> None:
    add()

    assert [row["kind"] for row in client.get("/api/media/kinds/").json()] == kinds()
    assert_constant_queries(lambda: client.get("/api/media/kinds/"), add)


def test_a_property_below_a_foreign_key_is_that_of_the_subclass(client: APIClient) -> None:
    add()

    shown = client.get("/api/loans/").json()
    assert [loan["medium"]["kind"] for loan in shown] == kinds()
    assert_constant_queries(lambda: client.get("/api/loans/"), add)


def test_a_property_in_a_nested_list_is_that_of_the_subclass(client: APIClient) -> None:
    add()

    [shelf] = client.get("/api/shelves/").json()
    assert [medium["kind"] for medium in shelf["media"]] == kinds()
    assert_constant_queries(lambda: client.get("/api/shelves/"), add)


def test_prepared_rows_are_shown_as_what_they_are(client: APIClient) -> None:
    add()

    for _ in range(2):
        assert client.get("/api/media/called/?title=Same").json() == ROWS
        assert [
            row["kind"] for row in client.get("/api/media/called/kinds/?title=Same").json()
        ] == kinds()[:2]
        assert client.get("/api/media/called/count/?title=Same").json() == 2
        assert client.get("/api/films/called/?title=Same").json() == ROWS[:1]
        assert client.get("/api/films/called/?title=Other").json() == []


def test_bodies_write_a_subclass(client: APIClient) -> None:
    assert client.post("/api/films/", json=ROWS[0]).json() == ROWS[0]
    film = Medium.objects.get()
    assert isinstance(film, Film)

    answer = client.patch(f"/api/films/{film.pk}/", json={"minutes": 91})

    assert answer.json() == {"title": "Same", "minutes": 91}
    assert Medium.objects.get().kind == "film of 91 minutes"
