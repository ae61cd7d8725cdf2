"""Does what the server says beside a body count, whatever the client has sent?"""

from typing import Any

import pytest
from django.db import IntegrityError
from pydantic import Field, TypeAdapter

from django_mullet import Create, CreateOnly, ModelSchema, Patch, Update, Writable, WriteOnly
from tests.bodies import body
from tests.catalogue.models import Agent, Publisher
from tests.library.models import Author
from tests.relations.models import Note, Place
from tests.writes.models import (
    Document,
    Folder,
    Label,
    Line,
    Odd,
    Owner,
    Page,
    Profile,
    Seal,
    Truck,
    Vehicle,
)

pytestmark = pytest.mark.django_db


class OwnerSchema(ModelSchema[Owner]):
    name: str


class LabelSchema(ModelSchema[Label]):
    word: str


class ByColumn(ModelSchema[Document]):
    title: str
    owner_id: int


class ByName(ModelSchema[Document]):
    title: str
    owner: int


class ByAlias(ModelSchema[Document]):
    title: str
    owner: int = Field(alias="ownerId")


class Nested(ModelSchema[Document]):
    title: str
    owner: Writable[OwnerSchema]


@pytest.fixture
def user(db: None) -> Owner:
    return Owner.objects.create(name="user")


@pytest.fixture
def other(db: None) -> Owner:
    return Owner.objects.create(name="other")


CLAIMS = [(ByColumn, "owner_id"), (ByName, "owner"), (ByAlias, "ownerId")]


@pytest.mark.parametrize(("schema", "key"), CLAIMS)
@pytest.mark.parametrize("name", ["owner", "owner_id"])
def test_the_servers_owner_counts(
    schema: Any, key: str, name: str, user: Owner, other: Owner
) -> None:
    sent = body(Create[schema], title="a", **{key: other.pk})
    says = {name: user if name == "owner" else user.pk}

    created, made = sent.create(**says), sent.to_model(**says)
    made.save()
    changed, saved = (Document(owner=other) for _ in range(2))
    sent.update(changed, **says).save()
    sent.save(saved, **says)

    for document in (created, made, changed, saved):
        assert document.owner == user
        assert Document.objects.get(pk=document.pk).owner == user


def test_the_servers_object_counts_and_what_is_nested_in_its_place_is_not_written(
    user: Owner,
) -> None:
    sent = body(Create[Nested], title="a", owner={"name": "taken over"})

    assert sent.create(owner=user).owner == user
    assert sent.to_model(owner_id=user.pk).owner == user
    assert sent.save(Document.objects.get(), owner=user).owner == user
    assert Owner.objects.get().name == "user"


def test_the_servers_values_of_columns_count(user: Owner) -> None:
    sent = body(Create[ByColumn], title="sent", owner_id=0)

    document = sent.create(title="said", owner=user)
    body(Patch[ByColumn], title="sent").save(document, title="said again")

    assert Document.objects.get().title == "said again"


def test_the_servers_value_counts_where_a_property_sets_columns(user: Owner) -> None:
    class Signed(ModelSchema[Document]):
        title: str
        first: str
        last: str

    sent = body(Create[Signed], title="a", first="Mal", last="Lory")

    assert sent.create(owner=user, signed="Ada Lovelace").first == "Ada"
    assert sent.to_model(owner=user, signed="Ada Lovelace").last == "Lovelace"


def test_the_servers_generic_object_counts(user: Owner, other: Owner) -> None:
    class About(ModelSchema[Document]):
        title: str
        kind_id: int
        object_id: int

    sent = body(Create[About], title="a", kind_id=999, object_id=other.pk)

    document = sent.create(owner=user, about=user)

    assert Document.objects.get(pk=document.pk).about == user


def test_the_servers_object_of_several_columns_counts() -> None:
    class AgentSchema(ModelSchema[Agent]):
        name: str
        house: str

    publisher = Publisher.objects.create(code="said")

    agent = body(Create[AgentSchema], name="a", house="sent").create(publisher=publisher)

    assert Agent.objects.get(pk=agent.pk).publisher == publisher


def test_what_is_shown_beside_is_no_matter() -> None:
    class NoteSchema(ModelSchema[Note]):
        text: str

    class Noted(ModelSchema[Place]):
        name: str
        code: str
        notes: list[NoteSchema]

    assert body(Create[Noted], name="sent", code="sent").create(name="said").name == "said"


def test_the_servers_many_to_many_relations_count(user: Owner) -> None:
    class Labelled(ModelSchema[Document]):
        title: str
        labels: list[str]

    class WithLabels(ModelSchema[Document]):
        title: str
        labels: Writable[list[LabelSchema]]

    said, sent = Label.objects.create(word="said"), Label.objects.create(word="sent", note="kept")
    keys = body(Create[Labelled], title="a", labels=["sent"])
    objects = body(Create[WithLabels], title="a", labels=[{"word": "new"}])

    for document in (
        keys.create(owner=user, labels=[said]),
        objects.create(owner=user, labels=["said"]),
    ):
        assert list(document.labels.all()) == [said]
        keys.save(document, labels=[sent, said])
        assert document.labels.count() == 2
    assert not Label.objects.filter(word="new").exists()
    with pytest.raises(TypeError, match="'labels' can be set on a saved object only: call 'create"):
        body(Create[ByColumn], title="a", owner_id=user.pk).to_model(labels=[said])


def test_the_servers_far_side_of_a_many_to_many_relation_counts(user: Owner) -> None:
    document = Document.objects.create(title="a", owner=user)

    label = body(Create[LabelSchema], word="new").create(documents=[document])

    assert list(label.documents.all()) == [document]


@pytest.mark.parametrize(("name", "model"), [("pages", Page), ("seal", Seal)])
def test_rows_that_refer_to_the_object_are_not_taken(name: str, model: Any, user: Owner) -> None:
    with pytest.raises(TypeError) as caught:
        body(Create[ByColumn], title="a", owner_id=user.pk).create(**{name: []})

    assert str(caught.value) == (
        f"'{name}' of 'Document' is kept in the rows of '{model.__name__}': create these, with "
        "'document=...', once there is the object."
    )
    assert not Document.objects.exists()


def test_rows_that_refer_to_the_object_by_a_generic_key_are_not_taken() -> None:
    class PlaceSchema(ModelSchema[Place]):
        name: str
        code: str

    with pytest.raises(TypeError) as caught:
        body(Create[PlaceSchema], name="a", code="a").create(notes=[])

    assert str(caught.value) == (
        "'notes' of 'Place' is kept in the rows of 'Note': create these, with 'about=...', once "
        "there is the object."
    )
    assert not Place.objects.exists()


def test_a_name_that_the_model_lacks_is_an_error(user: Owner) -> None:
    sent = body(Patch[ByColumn], title="a")

    for write in (sent.create, sent.to_model):
        with pytest.raises(TypeError, match=r"^'Document' has no field 'ownr' that a value can be"):
            write(ownr=user)
    with pytest.raises(TypeError, match="'ownr'"):
        sent.save(Document.objects.create(title="kept", owner=user), ownr=user)
    assert Document.objects.get().title == "kept"


class FolderSchema(ModelSchema[Folder]):
    code: str
    name: str


class ProfileSchema(ModelSchema[Profile]):
    owner: int
    text: str


class LineSchema(ModelSchema[Line]):
    document_id: int
    number: int
    text: str


class TruckSchema(ModelSchema[Truck]):
    plate: str
    load: int


class ByOwnerSchema(ModelSchema[Profile]):
    owner_id: int
    text: str


def test_the_servers_key_counts(user: Owner, other: Owner) -> None:
    sent = body(Create[FolderSchema], code="sent", name="a")
    assert sent.create(pk="said").pk == "said"
    assert sent.to_model(code="also").pk == "also"
    assert body(Create[ByOwnerSchema], owner_id=other.pk, text="a").create(pk=user.pk).owner == user
    document = Document.objects.create(title="a", owner=user)
    line = body(Create[LineSchema], document_id=0, number=7, text="a").create(pk=(document.pk, 1))
    assert Line.objects.get().pk == line.pk == (document.pk, 1)
    parent = Vehicle.objects.create(plate="said")
    truck = body(Create[TruckSchema], plate="sent", load=3).create(vehicle_ptr=parent)
    assert (truck.pk, Truck.objects.get().vehicle_ptr) == ("said", parent)


def test_what_the_model_is_made_with_is_not_set_again() -> None:
    class OddSchema(ModelSchema[Odd]):
        text: str

    odd = body(Create[OddSchema], text="a").create(state="said")

    assert Odd.objects.get().state == odd.state == "said"


def test_a_models_own_methods_take_the_servers_values() -> None:
    class AuthorSchema(ModelSchema[Author]):
        name: str
        born: str | None

    sent = body(Patch[AuthorSchema], name="sent")

    assert Author.from_api(sent, name="said").name == "said"
    author = Author(name="before")
    author.update_from_api(sent, name="said")
    assert author.name == "said"


# Keys that clients choose


CHOSEN = [
    (FolderSchema, "code"),
    (ProfileSchema, "owner"),
    (LineSchema, "document_id"),
    (TruckSchema, "plate"),
]


def bodies(user: Owner) -> dict[Any, Any]:
    document, _ = Document.objects.get_or_create(title="a", owner=user)
    return {
        FolderSchema: body(Create[FolderSchema], code="a", name="a"),
        ProfileSchema: body(Create[ProfileSchema], owner=user.pk, text="a"),
        LineSchema: body(Create[LineSchema], document_id=document.pk, number=1, text="a"),
        TruckSchema: body(Create[TruckSchema], plate="a", load=1),
    }


@pytest.mark.parametrize(("schema", "name"), CHOSEN)
def test_an_unsaved_object_has_no_key_of_a_clients_choice(
    schema: Any, name: str, user: Owner
) -> None:
    sent = bodies(user)[schema]

    for write in (sent.to_model, lambda: sent.update(schema.django_model()())):
        with pytest.raises(TypeError) as caught:
            write()
        assert str(caught.value) == (
            f"'{schema.__name__}.{name}' is the key of a new object, and a request chooses it, so "
            "that 'save()' would replace the object that has it: call 'create()' in place of "
            f"'to_model()', or give the key as 'to_model({name}=...)'."
        )


def test_a_part_of_the_key_is_a_choice_too(user: Owner) -> None:
    sent = bodies(user)[LineSchema]

    with pytest.raises(TypeError, match=r"'LineSchema\.number' is the key"):
        sent.to_model(document_id=1)
    assert sent.to_model(document_id=1, number=2).pk == (1, 2)


@pytest.mark.parametrize(("schema", "name"), CHOSEN)
def test_a_created_object_takes_over_no_row(schema: Any, name: str, user: Owner) -> None:
    sent = bodies(user)[schema]
    first = sent.create()

    with pytest.raises(IntegrityError):
        sent.create()

    assert schema.django_model().objects.get() == first


def test_what_is_there_is_changed_without_its_key(user: Owner) -> None:
    folder = Folder.objects.create(code="a", name="before")

    body(Patch[FolderSchema], code="b", name="after").update(folder).save()

    assert [(each.code, each.name) for each in Folder.objects.all()] == [("a", "after")]


@pytest.mark.parametrize("mark", [Writable, WriteOnly, CreateOnly])
@pytest.mark.parametrize("variant", [Patch, Update])
def test_a_key_that_is_marked_as_one_that_requests_set_is_not_changed(
    mark: Any, variant: Any
) -> None:
    class Marked(ModelSchema[Folder]):
        code: mark[str]
        name: str

    Folder.objects.create(code="b", name="another's")
    folder = Folder.objects.create(code="a", name="before")

    body(variant[Marked], code="b", name="after").save(folder)
    body(variant[Marked], code="c", name="after").update(folder).save()

    found = Folder.objects.order_by("code").values_list("code", "name")
    assert list(found) == [("a", "after"), ("b", "another's")]
    assert body(Create[Marked], code="c", name="new").create().code == "c"


def test_the_link_to_a_parent_is_not_writable() -> None:
    class Wrong(ModelSchema[Truck]):
        vehicle_ptr: CreateOnly[str]

    class Child(ModelSchema[Truck]):
        load: int

    class Parent(ModelSchema[Vehicle]):
        truck: Writable[Child | None]

    for schema, field in ((Wrong, "vehicle_ptr"), (Parent, "truck")):
        with pytest.raises(Exception, match="one object with it") as caught:
            TypeAdapter(Create[schema])  # type: ignore[valid-type]
        assert str(caught.value) == (
            f"'{schema.__name__}.{field}' cannot be written: a child has the fields of its parent, "
            "and is one object with it. Write 'ReadOnly[...]' here, and these fields in a schema "
            "of the child."
        )
