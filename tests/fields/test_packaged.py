"""Do fields of packages come through schemas that are not laid out as Django's own?"""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter, ValidationError
from pytest_django.fixtures import DjangoAssertNumQueries

from django_mullet import (
    APIRouter,
    Create,
    ModelSchema,
    Patch,
    annotation_of,
    mount_django,
    schema_for,
)
from django_mullet.checks.schemas import messages_of
from django_mullet.fields.info import facts_of_values
from tests.packaged.fields import Code
from tests.packaged.models import (
    Film,
    Parcel,
    Photo,
    Seat,
    Sender,
    Tag,
    Ticket,
    Visitor,
    Wish,
    refuse_known_tags,
)

pytestmark = pytest.mark.django_db

PhotoSchema: Any = schema_for(Photo)
FilmSchema: Any = schema_for(Film)
ParcelSchema: Any = schema_for(Parcel)
VisitorSchema: Any = schema_for(Visitor)


class TicketSchema(ModelSchema[Ticket]):
    code: int
    seat: int | None


def body(annotation: Any, **values: Any) -> Any:
    return TypeAdapter(annotation).validate_python(values)


# A relation that is many-to-many, and no `ManyToManyField`


def test_tags_are_shown_and_taken_by_their_keys() -> None:
    goat, fish = Tag.objects.create(name="goat"), Tag.objects.create(name="fish")

    photo = body(Create[PhotoSchema], title="Pond", tags=[fish.pk, goat.pk]).create()

    assert annotation_of(Photo._meta.get_field("tags")) == list[int]
    assert list(messages_of(PhotoSchema)) == []
    assert PhotoSchema.from_model(photo).tags == [fish.pk, goat.pk]
    body(Patch[PhotoSchema], tags=[]).save(photo)
    assert PhotoSchema.from_model(Photo.objects.get()).tags == []


def test_a_tag_that_is_not_there_is_refused() -> None:
    with pytest.raises(DjangoValidationError) as caught:
        body(Create[PhotoSchema], title="Pond", tags=[7]).create()

    assert caught.value.message_dict == {
        "tags": ["Select a valid choice. 7 is not one of the available choices."]
    }
    assert not Photo.objects.exists()


def test_tags_of_many_objects_are_loaded_at_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    goat = Tag.objects.create(name="goat")
    for title in ("Pond", "Meadow"):
        body(Create[PhotoSchema], title=title, tags=[goat.pk]).create()

    with django_assert_num_queries(2):
        shown = PhotoSchema.from_qs(Photo.objects.all())

    assert [photo.tags for photo in shown] == [[goat.pk], [goat.pk]]


def test_what_a_manager_keeps_in_memory_is_written() -> None:
    goat, photo = Tag.objects.create(name="goat"), Photo.objects.create(title="Pond")

    film = body(Create[FilmSchema], tags=[goat.pk], photos=[photo.pk]).create()

    shown = FilmSchema.from_model(Film.objects.get())
    assert (shown.tags, shown.photos) == ([goat.pk], [photo.pk])
    body(Patch[FilmSchema], tags=[], photos=[]).save(film)
    shown = FilmSchema.from_model(Film.objects.get())
    assert (shown.tags, shown.photos) == ([], [])


# Keys whose values are of a type of their own


def test_keys_in_a_list_are_those_of_the_schema() -> None:
    for number in (1, 2):
        Ticket.objects.create(code=number)

    visitor = body(Create[VisitorSchema], tickets=[1, 2]).create()

    assert VisitorSchema.from_model(visitor).tickets == [1, 2]
    assert [each.tickets for each in VisitorSchema.from_qs(Visitor.objects.all())] == [[1, 2]]
    with pytest.raises(DjangoValidationError, match="3 is not one of the available choices"):
        body(Patch[VisitorSchema], tickets=[3]).save(visitor)


def test_so_is_the_key_of_a_reverse_one_to_one_relation() -> None:
    taken, free = Ticket.objects.create(code=1), Ticket.objects.create(code=2)
    Seat.objects.create(code=7, ticket=taken)

    tickets = Ticket.objects.order_by("code")

    assert [each.seat for each in TicketSchema.from_qs(tickets)] == [7, None]
    assert TicketSchema.from_model(Ticket.objects.get(pk=free.pk)).seat is None


# What `save()` makes of a column


class SenderSchema(ModelSchema[Sender]):
    name: str


class SentSchema(ModelSchema[Parcel]):
    checksum: str
    code: int | None
    sender: SenderSchema | None


def test_a_column_that_is_set_to_nearly_its_type_is_shown_as_it_is_stored() -> None:
    sender = Sender.objects.create(name="homer")
    parcel = Parcel.objects.create(name="abc", code=Code(7), sender=sender)

    shown = SentSchema.from_model(parcel)

    assert shown.model_dump() == {"checksum": "294", "code": 7, "sender": {"name": "homer"}}
    assert shown == SentSchema.from_model(Parcel.objects.get())


@pytest.mark.parametrize("sent", ["tomorrow", 5])
def test_what_is_no_value_of_the_column_is_an_error_as_before(sent: Any) -> None:
    parcel = Parcel(pk=1, name="abc", checksum="294", weight=1, sent=sent)

    with pytest.raises(ValidationError, match="sent"):
        ParcelSchema.from_model(parcel)


# Validators that query


@pytest.fixture
def client() -> TestClient:
    router = APIRouter()

    @router.post("/parcels/", status_code=201, response_model=ParcelSchema)
    def create(body: Create[ParcelSchema]) -> Any:  # type: ignore[valid-type]
        return body.create()  # type: ignore[attr-defined]

    @router.post("/parcels/async/", status_code=201, response_model=ParcelSchema)
    async def acreate(body: Create[ParcelSchema]) -> Any:  # type: ignore[valid-type]
        return await sync_to_async(body.create)()  # type: ignore[attr-defined]

    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    return TestClient(app)


@pytest.mark.parametrize("path", ["/parcels/", "/parcels/async/"])
def test_a_validator_may_query_the_database(client: TestClient, path: str) -> None:
    Tag.objects.create(name="goat")

    refused = client.post(path, json={"name": "goat"})
    taken = client.post(path, json={"name": "fish"})

    assert refused.status_code == 422
    [error] = refused.json()["detail"]
    assert (error["loc"], error["msg"]) == (["body", "name"], "This is a tag.")
    assert taken.status_code == 201
    assert list(Parcel.objects.values_list("name", flat=True)) == ["fish"]


def test_a_validator_of_the_items_of_an_array_may_query_too() -> None:
    array = facts_of_values(
        ArrayField(models.CharField(max_length=20, validators=[refuse_known_tags]), null=True)
    )
    Tag.objects.create(name="goat")

    async def read() -> Any:
        assert array.items is not None
        return array.items.checked("goat")

    assert asyncio.run(read()) == "goat"
    array.check_late(None)
    array.check_late(["fish"])
    with pytest.raises(DjangoValidationError, match="This is a tag"):
        array.check_late(["fish", "goat"])


def test_other_columns_are_not_looked_at_again(client: TestClient) -> None:
    client.post("/parcels/", json={"name": "fish"})

    response = client.post("/parcels/", json={"name": "goat", "weight": 2, "sent": None})

    assert response.status_code == 201
    assert Parcel.objects.get(name="goat").weight == 2


def test_a_validator_that_does_not_query_has_had_its_say() -> None:
    facts = SenderSchema.field_facts("name")

    assert facts.validators
    facts.check_late("no slug")  # which was refused before, in a request


# Defaults


class WishSchema(ModelSchema[Wish]):
    name: str
    namespace: str


def test_a_default_that_is_translated_is_shown_before_it_is_loaded_anew() -> None:
    made = body(Create[WishSchema], namespace="a").create()

    assert not isinstance(made.name, str)  # but a lazy text
    assert WishSchema.from_model(made) == WishSchema.from_model(Wish.objects.get())
    assert WishSchema.from_model(made).name == "Default"


def test_a_default_of_none_is_none_where_a_row_may_not_have_it() -> None:
    with pytest.raises(ValidationError, match=r"namespace\n  Field required"):
        body(Create[WishSchema], name="Goat")

    assert TypeAdapter(Create[WishSchema]).json_schema()["required"] == ["namespace"]
    assert body(Patch[WishSchema], name="Goat").model_fields_set == {"name"}
