"""Are relations of every kind shown, and taken where a request can write them?"""

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter, ValidationError

from django_mullet import Create, ModelSchema, Patch, ReadOnly, Writable
from tests.catalogue import models as catalogue
from tests.library.models import Author
from tests.relations.models import (
    Box,
    Fandom,
    Guest,
    Kiosk,
    Legacy,
    Membership,
    Note,
    Person,
    Place,
    Project,
    Shop,
    ShopSchema,
    router,
)

pytestmark = pytest.mark.django_db


def create(schema: Any, **values: Any) -> Any:
    return TypeAdapter(Create[schema]).validate_python(values).create()


class PlaceSchema(ModelSchema[Place]):
    name: str
    code: str


class PersonSchema(ModelSchema[Person]):
    name: str


def test_each_object_of_a_generic_relation_is_shown_by_the_schema_of_its_model() -> None:
    class NoteSchema(ModelSchema[Note]):
        text: str
        about: PlaceSchema | PersonSchema | None

    place = Place.objects.create(name="Agora", code="agora")
    Note.objects.create(text="crowded", about=place)
    Note.objects.create(text="wise", about=Person.objects.create(name="Solon"))
    kind = ContentType.objects.get_for_model(Place)
    Note.objects.create(text="lost", content_type=kind, object_id=0)

    shown = NoteSchema.from_qs(Note.objects.order_by("pk"))

    assert [note.about for note in shown] == [
        PlaceSchema(name="Agora", code="agora"),
        PersonSchema(name="Solon"),
        None,
    ]
    assert TypeAdapter(Create[NoteSchema]).json_schema()["properties"].keys() == {"text"}


def test_an_object_of_another_model_is_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        PlaceSchema.model_validate(Person(name="Solon"))

    [error] = caught.value.errors()
    assert error["msg"] == "'PlaceSchema' shows instances of 'Place', not of 'Person'"


def test_an_object_of_a_model_of_the_same_name_is_told_apart() -> None:
    with pytest.raises(ValidationError) as caught:
        PersonSchema.model_validate(catalogue.Person(name="Solon"))

    [error] = caught.value.errors()
    assert error["msg"] == (
        "'PersonSchema' shows instances of 'relations.Person', not of 'catalogue.Person'"
    )


def test_a_reverse_generic_relation_is_shown() -> None:
    class NoteSchema(ModelSchema[Note]):
        text: str

    class Noted(ModelSchema[Place]):
        notes: list[NoteSchema]

    place = Place.objects.create(name="Agora", code="agora")
    Note.objects.create(text="crowded", about=place)

    assert Noted.from_model(place).notes == [NoteSchema(text="crowded")]


def test_a_child_shows_the_fields_of_its_parent_and_writes_both_tables() -> None:
    shop = create(ShopSchema, name="Oil", code="oil", opened=-500, place_ptr=7)

    place = Place.objects.get()
    assert (place.name, place.code) == ("Oil", "oil")
    assert ShopSchema.from_model(shop).model_dump() == {
        "id": place.pk,
        "name": "Oil",
        "code": "oil",
        "opened": -500,
        "place_ptr": place.pk,
        "seller": None,
    }
    TypeAdapter(Patch[ShopSchema]).validate_python({"name": "Wine", "opened": 1}).save(shop)
    assert (Shop.objects.get().opened, Place.objects.get().name) == (1, "Wine")


def test_a_child_can_be_created_of_a_parent() -> None:
    class Opened(ModelSchema[Shop]):
        opened: int

    place = Place.objects.create(name="Oil", code="oil")
    body = TypeAdapter(Create[Opened]).validate_python({"opened": 1})

    body.create(place_ptr=place, name="Oil", code="oil")

    assert Shop.objects.get().place_ptr == place


def test_a_parent_shows_its_child_or_null() -> None:
    class WithShop(ModelSchema[Place]):
        shop: int | None

    shop = Shop.objects.create(name="Oil", code="oil", opened=1)
    other = Place.objects.create(name="Agora", code="agora")

    assert WithShop.from_model(Place.objects.get(code="oil")).shop == shop.pk
    assert WithShop.from_model(other).shop is None


def test_a_proxy_shows_what_its_model_does_and_an_unmanaged_model_its_table() -> None:
    class KioskSchema(ModelSchema[Kiosk]):
        name: str
        opened: int

    class LegacySchema(ModelSchema[Legacy]):
        key: int
        name: str

    kiosk = create(KioskSchema, name="News", opened=1900)

    assert KioskSchema.from_model(kiosk) == KioskSchema(name="News", opened=1900)
    assert LegacySchema.from_qs(Legacy.objects.all()) == [LegacySchema(key=kiosk.pk, name="News")]


def test_a_generated_column_is_read_only_and_fresh_after_each_save() -> None:
    class BoxSchema(ModelSchema[Box]):
        width: int
        depth: int
        area: int

    box = create(BoxSchema, width=3, area=99)
    shown = BoxSchema.from_model(box)
    TypeAdapter(Patch[BoxSchema]).validate_python({"width": 5}).save(box)

    assert shown == BoxSchema(width=3, depth=3, area=6)
    assert BoxSchema.from_model(box) == BoxSchema(width=5, depth=3, area=10)


def test_a_foreign_key_is_the_value_of_the_column_that_it_refers_to() -> None:
    class Resident(ModelSchema[Person]):
        home: str | None

    Place.objects.create(name="Agora", code="agora")

    person = create(Resident, home="agora")

    assert Person.objects.get().home == Place.objects.get()
    assert Resident.from_model(person).home == "agora"
    schema = TypeAdapter(Create[Resident]).json_schema()["properties"]["home"]
    assert schema["anyOf"][0]["maxLength"] == 50


def test_relations_to_the_same_model_are_shown_and_taken_as_keys() -> None:
    class Node(ModelSchema[Person]):
        name: str
        boss: int | None
        team: list[int]
        friends: list[int]

    solon = Person.objects.create(name="Solon")

    plato = create(Node, name="Plato", boss=solon.pk, friends=[solon.pk])

    assert Node.from_model(plato).model_dump() == {
        "name": "Plato",
        "boss": solon.pk,
        "team": [],
        "friends": [solon.pk],
    }
    assert Node.from_model(solon).team == [plato.pk]
    assert Node.from_model(solon).friends == [plato.pk]


def test_relations_to_the_same_model_are_shown_as_another_schema() -> None:
    class Node(ModelSchema[Person]):
        boss: PersonSchema | None
        team: list[PersonSchema]

    solon = Person.objects.create(name="Solon")
    plato = Person.objects.create(name="Plato", boss=solon)

    assert Node.from_model(plato) == Node(boss=PersonSchema(name="Solon"), team=[])
    assert Node.from_model(solon) == Node(boss=None, team=[PersonSchema(name="Plato")])


def test_a_relation_through_a_model_is_shown() -> None:
    class Shown(ModelSchema[Project]):
        members: ReadOnly[list[int]]

    project = Project.objects.create(name="laws")
    solon = Person.objects.create(name="Solon")
    Membership.objects.create(project=project, person=solon, role="author")

    assert Shown.from_model(project).members == [solon.pk]
    assert "members" not in TypeAdapter(Create[Shown]).json_schema()["properties"]


def test_keys_of_a_relation_through_a_model_that_needs_more_are_refused() -> None:
    class Wrong(ModelSchema[Project]):
        members: list[int]

    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[Wrong])

    assert str(caught.value) == (
        "'Wrong.members' cannot be written: each row of 'Membership' needs 'role' too. Write "
        "'ReadOnly[...]' here, and for requests a 'Writable' list of schemas of 'Membership'."
    )


def test_keys_of_a_relation_through_a_model_with_defaults_are_taken() -> None:
    class Liked(ModelSchema[Project]):
        name: str
        fans: list[int]

    solon = Person.objects.create(name="Solon")

    create(Liked, name="laws", fans=[solon.pk])

    assert Fandom.objects.get().since == 2000


def test_a_row_with_the_same_key_is_not_replaced() -> None:
    class Named(ModelSchema[Project]):
        name: str

    create(Named, name="laws")

    with pytest.raises(IntegrityError):
        create(Named, name="laws")


def test_a_schema_of_a_swapped_model_is_refused() -> None:
    class GuestSchema(ModelSchema[Guest]):
        name: str

    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[GuestSchema])

    assert str(caught.value) == (
        "'GuestSchema' is of 'relations.Guest', which 'RELATIONS_GUEST_MODEL' in the settings "
        "swaps for 'relations.Visitor': write a schema of that."
    )


@pytest.mark.django_db(transaction=True)
def test_a_schema_and_its_route_stand_below_a_model_that_refers_to_a_later_app() -> None:
    app = FastAPI()
    app.include_router(router)
    author = Author.objects.create(name="Homer")

    answer = TestClient(app).post(
        "/shops/", json={"name": "Oil", "code": "oil", "opened": 1, "seller": author.pk}
    )

    assert answer.status_code == 201
    assert answer.json()["seller"] == author.pk
    assert app.openapi()["components"]["schemas"]["ShopCreate"]["required"] == [
        "name",
        "code",
        "opened",
    ]


def test_nested_objects_that_are_loaded_cost_no_query() -> None:
    class WithBoss(ModelSchema[Person]):
        boss: PersonSchema | None

    solon = Person.objects.create(name="Solon")
    Person.objects.create(name="Plato", boss=solon)
    people = list(Person.objects.select_related("boss"))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        WithBoss.from_qs(people)

    assert len(queries) == 0


def test_a_nested_object_that_is_not_loaded_is_fetched() -> None:
    class WithBoss(ModelSchema[Person]):
        boss: PersonSchema | None

    solon = Person.objects.create(name="Solon")
    Person.objects.create(name="Plato", boss=solon)

    shown = [WithBoss.model_validate(each) for each in Person.objects.only("name").order_by("pk")]

    assert [person.boss for person in shown] == [None, PersonSchema(name="Solon")]


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (
            Writable[PlaceSchema | PersonSchema],
            (
                "'Wrong.about' cannot be 'Writable': that is for foreign keys, their reverse "
                "relations, and many-to-many relations."
            ),
        ),
    ],
)
def test_a_generic_relation_is_not_writable(annotation: Any, message: str) -> None:
    class Wrong(ModelSchema[Note]):
        about: annotation

    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[Wrong])

    assert str(caught.value) == message
