"""Is a constraint found whose table is not laid out, or named, as its model is?"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Create, ModelSchema, install_exception_handlers
from django_mullet.error_handling.constraints import Refusal, Violation, unique_fields, violation_of
from tests.library.models import Author, Book
from tests.tables.models import Archived, Mixed, Place, Shop, Visit

pytestmark = pytest.mark.django_db(databases=["default", "other"])

SHOP: Any = {"street": "Elm", "opened": date(2026, 1, 1), "code": "a"}


def refused(function: Callable[[], object], using: str = "default") -> Violation | None:
    with pytest.raises(IntegrityError) as caught, transaction.atomic(using=using):
        function()
    return violation_of(caught.value)


@pytest.mark.parametrize("using", ["default", "other"])
def test_a_quoted_name_in_any_database(using: str) -> None:
    mixed = Mixed.objects.using(using)
    mixed.create(Name="x")

    assert refused(lambda: mixed.create(Name="x"), using) == Violation(
        Refusal.UNIQUE, ("Name",), "Mixed with this Name already exists.", Mixed
    )


@pytest.mark.postgres
def test_a_table_of_another_schema() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA archive")
        cursor.execute("CREATE TABLE archive.shelf (id bigserial PRIMARY KEY, code text UNIQUE)")
    Archived.objects.create(code="x")

    assert refused(lambda: Archived.objects.create(code="x")) == Violation(
        Refusal.UNIQUE, ("code",), "Archived with this Code already exists.", Archived
    )


@pytest.mark.postgres
def test_a_server_that_speaks_another_language() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE 'doppelter Schlüsselwert' USING ERRCODE = 'unique_violation',
                    DETAIL = 'Schlüssel »(name)=(' || NEW.name || ')« existiert bereits.',
                    TABLE = TG_TABLE_NAME, CONSTRAINT = 'visit_name_key';
            END $$
        """)
        cursor.execute(
            "CREATE TRIGGER complain BEFORE INSERT ON tables_visit "
            "FOR EACH ROW EXECUTE FUNCTION complain()"
        )

    assert refused(lambda: Visit.objects.create(name="x")) == Violation(
        Refusal.UNIQUE, ("name",), "Visit with this Name already exists.", Visit
    )


def test_fields_that_are_unique_together() -> None:
    Place.objects.create(name="a", street="Elm")

    assert refused(lambda: Place.objects.create(name="b", street="Elm")) == Violation(
        Refusal.UNIQUE,
        ("street", "number"),
        "Place with this Street and Number already exists.",
        Place,
    )


def test_a_constraint_of_the_parent() -> None:
    Place.objects.create(name="a", street="Oak")

    assert refused(lambda: Shop.objects.create(**SHOP, name="a")) == Violation(
        Refusal.UNIQUE, ("name",), "Place with this Name already exists.", Place
    )


def test_a_constraint_with_a_condition() -> None:
    Shop.objects.create(**SHOP, name="a", closed=True)
    Shop.objects.create(**SHOP, name="b", number=2)

    assert refused(lambda: Shop.objects.create(**SHOP, name="c", number=3)) == Violation(
        Refusal.UNIQUE, ("code",), "An open shop has this code.", Shop
    )


def test_a_field_of_constraints_that_cannot_be_null() -> None:
    values = SHOP | {"code": None, "name": "a"}

    assert refused(lambda: Shop.objects.create(**values)) == Violation(
        Refusal.NOT_NULL, ("code",), "This field cannot be null.", Shop
    )


def test_a_check_beside_a_unique_constraint() -> None:
    values = SHOP | {"code": "bad", "name": "a"}

    violation = refused(lambda: Shop.objects.create(**values))

    assert violation is not None
    assert (violation.refusal, violation.fields) == (Refusal.CHECK, ("code",))


def test_what_may_have_to_be_unique() -> None:
    assert unique_fields(Author) == {"id", "name"}
    assert unique_fields(Book) == {"id", "author", "title", "language"}
    assert unique_fields(Shop) == {
        "id",
        "name",
        "street",
        "number",
        "place_ptr",
        "code",
        "number_of_rooms",
    }


# What a client sees of it


class ShopSchema(ModelSchema[Shop]):
    id: int
    name: str
    street: str
    number: int
    opened: date
    code: str
    motto: str
    number_of_rooms: int | None


class MixedSchema(ModelSchema[Mixed]):
    Name: str


router = APIRouter()


@router.post("/shops/", status_code=201)
def create_shop(body: Create[ShopSchema]) -> None:
    body.create()


@router.post("/shops/many/", status_code=201)
def create_shops(body: list[Create[ShopSchema]]) -> None:
    with transaction.atomic():
        for shop in body:
            shop.create()


@router.post("/shops/clean/", status_code=201)
def create_clean_shop(body: Create[ShopSchema]) -> None:
    shop = body.to_model()
    shop.full_clean()
    shop.save()


@router.post("/shops/rooms/", status_code=201)
def create_shop_with_rooms(body: Create[ShopSchema]) -> None:
    body.create(number_of_rooms=1)


@router.post("/shops/visit/", status_code=201)
def create_shop_and_visit(body: Create[ShopSchema]) -> None:
    with transaction.atomic():
        body.create()
        Visit.objects.create(name="always the same")


@router.post("/mixed/{using}/", status_code=201)
def create_mixed(using: str, body: Create[MixedSchema]) -> None:
    body.to_model().save(using=using)


@router.post("/stray/")
def look_for_what_is_not_there(body: Create[ShopSchema]) -> None:
    Shop.objects.get(name=f"{body.name}, the secret")


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router)
    install_exception_handlers(app)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


BODY = {"name": "a", "street": "Elm", "opened": "2026-01-01", "code": "a", "motto": "m"}


def locs(answer: Any) -> list[Any]:
    return [error["loc"] for error in answer.json()["detail"]]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"street": "Oak", "code": "b"}, [["body", "name"]]),
        ({"name": "b", "code": "b"}, [["body", "street"], ["body", "number"]]),
        ({"name": "b", "street": "Oak"}, [["body", "code"]]),
    ],
)
def test_a_row_like_another_is_a_409(
    client: TestClient, changed: dict[str, str], expected: list[list[str]]
) -> None:
    assert client.post("/shops/", json=BODY).status_code == 201

    answer = client.post("/shops/", json=BODY | changed)

    assert (answer.status_code, locs(answer)) == (409, expected)
    assert Place.objects.count() == 1


def test_one_of_many_rows_like_another_is_a_409(client: TestClient) -> None:
    answer = client.post("/shops/many/", json=[BODY, BODY | {"street": "Oak", "code": "b"}])

    assert (answer.status_code, locs(answer)) == (409, [["body", 1, "name"]])
    assert not Place.objects.exists()


def test_what_only_django_knows_is_a_422(client: TestClient) -> None:
    client.post("/shops/", json=BODY)

    answer = client.post("/shops/clean/", json=BODY | {"name": "b", "street": "Oak", "code": "b"})

    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {
            "type": "value_error",
            "loc": ["body", "motto"],
            "msg": "Motto must be unique for Opened date.",
        }
    ]


def test_another_database_answers_the_same(client: TestClient) -> None:
    answers = [client.post("/mixed/other/", json={"Name": "x"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert locs(answers[1]) == [["body", "Name"]]


@pytest.mark.parametrize("path", ["/shops/rooms/", "/shops/visit/"])
def test_what_the_client_cannot_know_is_a_bug(client: TestClient, path: str) -> None:
    client.post(path, json=BODY)

    answer = client.post(path, json=BODY | {"name": "b", "street": "Oak", "code": "b"})

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert Place.objects.count() == 1


def test_a_stray_does_not_exist_is_a_bug(client: TestClient) -> None:
    answer = client.post("/stray/", json=BODY)

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
