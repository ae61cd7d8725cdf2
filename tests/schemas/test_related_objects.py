"""Does a request write those objects of a relation that it may, by their keys, and no others?"""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError
from django.forms import modelform_factory
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from django_mullet import APIRouter, Create, ModelSchema, Patch, ReadOnly, Update, Writable
from django_mullet.error_handling import handlers
from tests.bodies import body
from tests.relations.models import Person
from tests.writes.models import (
    Club,
    Document,
    Folder,
    Label,
    Line,
    Member,
    Odd,
    Owner,
    Page,
    Profile,
    Seal,
    Truck,
    Visit,
)

pytestmark = pytest.mark.django_db


class FolderSchema(ModelSchema[Folder]):
    code: str
    name: str


class PageSchema(ModelSchema[Page]):
    number: str
    text: str


class LineSchema(ModelSchema[Line]):
    number: int
    text: str


class SealSchema(ModelSchema[Seal]):
    code: str
    text: str


class LabelSchema(ModelSchema[Label]):
    word: str
    note: str


class DocumentSchema(ModelSchema[Document]):
    title: str
    owner_id: int
    folder: Writable[FolderSchema | None] = None
    pages: Writable[list[PageSchema]] = []
    lines: Writable[list[LineSchema]] = []
    seal: Writable[SealSchema | None] = None
    labels: Writable[list[LabelSchema]] = []


@pytest.fixture
def owner(db: None) -> Owner:
    return Owner.objects.create(name="owner")


@pytest.fixture
def document(owner: Owner) -> Document:
    return Document.objects.create(title="mine", owner=owner)


@pytest.fixture
def other(owner: Owner) -> Document:
    return Document.objects.create(title="another's", owner=owner)


def replace(document: Document, **values: Any) -> None:
    body(Patch[DocumentSchema], **values).save(document)


@pytest.mark.parametrize("key", ["b", "new"])
def test_what_a_foreign_key_leads_to_is_no_other_object(key: str, document: Document) -> None:
    for code in "ab":
        Folder.objects.create(code=code, name=f"of {code}")
    document.folder_id = "a"

    replace(document, folder={"code": "a", "name": "changed"})
    with pytest.raises(ValidationError) as caught:
        replace(document, folder={"code": key, "name": "taken over"})

    assert caught.value.message_dict == {
        "folder.code": ["This is another object's key: the key of the object that is here stays."]
    }
    found = Folder.objects.order_by("code").values_list("code", "name")
    assert list(found) == [("a", "changed"), ("b", "of b")]


def test_what_a_foreign_key_is_to_lead_to_is_new(document: Document) -> None:
    Folder.objects.create(code="a", name="of a")

    with pytest.raises(IntegrityError):
        replace(document, folder={"code": "a", "name": "taken over"})
    document.folder = None
    replace(document, folder={"code": "b", "name": "of b"})

    assert Folder.objects.get(code="a").name == "of a"
    assert Document.objects.get().folder_id == "b"


def test_what_refers_to_the_object_alone_is_no_other_object(document: Document) -> None:
    replace(document, seal={"code": "a", "text": "before"})
    replace(document, seal={"code": "a", "text": "after"})

    with pytest.raises(ValidationError) as caught:
        replace(document, seal={"code": "b", "text": "renamed"})

    assert caught.value.message_dict.keys() == {"seal.code"}
    assert [(seal.code, seal.text) for seal in Seal.objects.all()] == [("a", "after")]


def test_a_key_that_is_the_relation_itself_is_known(owner: Owner) -> None:
    class ProfileSchema(ModelSchema[Profile]):
        text: str

    class OwnerSchema(ModelSchema[Owner]):
        profile: Writable[ProfileSchema | None]

    for text in ("before", "after"):
        body(Patch[OwnerSchema], profile={"text": text}).save(owner)

    assert [(profile.pk, profile.text) for profile in Profile.objects.all()] == [
        (owner.pk, "after")
    ]


def test_rows_with_a_composite_key_stay_with_what_the_schema_lacks(document: Document) -> None:
    lines = [{"number": 1, "text": "a"}, {"number": 2, "text": "b"}]
    replace(document, lines=lines)
    Line.objects.update(secret="kept")

    replace(document, lines=[{"number": 2, "text": "changed"}, {"number": 3, "text": "new"}])

    assert [(line.number, line.text, line.secret) for line in Line.objects.order_by("number")] == [
        (2, "changed", "kept"),
        (3, "new", ""),
    ]


def test_a_composite_key_belongs_to_its_owner(document: Document, other: Document) -> None:
    replace(other, lines=[{"number": 1, "text": "another's"}])

    replace(document, lines=[{"number": 1, "text": "mine"}])

    assert other.lines.get().text == "another's"
    assert document.lines.get().text == "mine"


def test_children_are_known_by_the_key_of_their_parents(owner: Owner) -> None:
    class TruckSchema(ModelSchema[Truck]):
        plate: str
        load: int

    class Driver(ModelSchema[Owner]):
        trucks: Writable[list[TruckSchema]]

    for load in (1, 2):
        body(Patch[Driver], trucks=[{"plate": "a", "load": load}]).save(owner)
        Truck.objects.filter(load=1).update(secret="kept")

    truck = Truck.objects.get()
    assert (truck.pk, truck.load, truck.secret, truck.driver) == ("a", 2, "kept", owner)


def test_rows_of_which_a_part_of_the_key_is_not_sent_are_made_anew(document: Document) -> None:
    class Half(ModelSchema[Line]):
        number: ReadOnly[int]
        text: str

    class Whole(ModelSchema[Document]):
        lines: Writable[list[Half]]

    replace(document, lines=[{"number": 1, "text": "a"}])

    with pytest.raises(IntegrityError):
        body(Patch[Whole], lines=[{"text": "b"}]).save(document)


def test_an_object_that_is_nested_in_a_key_says_none(owner: Owner) -> None:
    class OwnerSchema(ModelSchema[Owner]):
        name: str

    class ProfileSchema(ModelSchema[Profile]):
        owner: Writable[OwnerSchema]
        text: str

    profile = Profile.objects.create(owner=owner, text="before")

    body(Patch[ProfileSchema], owner={"name": "changed"}, text="after").save(profile)

    assert (Profile.objects.get().text, Owner.objects.get().name) == ("after", "changed")


def test_labels_are_shared(document: Document, other: Document) -> None:
    replace(other, labels=[{"word": "a", "note": "another's"}])

    replace(document, labels=[{"word": "a", "note": "mine"}, {"word": "b", "note": ""}])

    assert other.labels.get().note == "mine"
    assert document.labels.count() == 2


# As requests


@pytest.fixture
def client() -> TestClient:
    router = APIRouter()

    @router.post("/")
    def post(body: Create[DocumentSchema]) -> int:
        return body.create().pk

    @router.put("/{pk}/")
    def put(pk: int, body: Update[DocumentSchema]) -> int:
        return body.save(Document.objects.get(pk=pk)).pk

    @router.patch("/{pk}/")
    def patch(pk: int, body: Patch[DocumentSchema]) -> int:
        return body.save(Document.objects.get(pk=pk)).pk

    app = FastAPI()
    app.include_router(router)
    handlers.install_exception_handlers(app)
    return TestClient(app)


TAKEN = {
    "pages": {"number": "taken", "text": "mine"},
    "lines": {"number": 1, "text": "mine"},
    "labels": {"word": "new", "note": "mine"},
}
LATER = {"lines": "number", "labels": "word", "pages": "number"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("name", ["pages", "lines", "labels"])
def test_a_key_that_is_sent_twice_is_a_conflict(
    name: str, method: str, client: TestClient, document: Document
) -> None:
    sent = {"title": "a", "owner_id": document.owner_id, name: [TAKEN[name], TAKEN[name]]}

    answer = client.request(method, "/" if method == "POST" else f"/{document.pk}/", json=sent)

    assert answer.status_code == 409
    assert [error["loc"] for error in answer.json()["detail"]] == [["body", name, 1, LATER[name]]]
    assert [each.title for each in Document.objects.all()] == ["mine"]
    assert not any(model.objects.exists() for model in (Page, Line, Label))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("name", ["pages", "lines", "labels"])
def test_a_key_that_is_there_and_sent_twice_is_a_conflict(
    name: str, method: str, client: TestClient, document: Document
) -> None:
    replace(document, **{name: [TAKEN[name]]})
    again = {**TAKEN[name], "note": "again", "text": "again"}
    sent = {"title": "a", "owner_id": document.owner_id, name: [TAKEN[name], again]}

    answer = client.request(method, f"/{document.pk}/", json=sent)

    assert answer.status_code == 409
    related: Any = getattr(document, name).get()
    assert getattr(related, "text", getattr(related, "note", None)) == "mine"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("name", ["pages", "seal"])
def test_the_key_of_anothers_object_is_a_conflict(
    name: str, method: str, client: TestClient, document: Document, other: Document
) -> None:
    key = "number" if name == "pages" else "code"
    taken = {key: "taken", "text": "mine"}
    nested = [taken] if name == "pages" else taken
    theirs = {**taken, "text": "theirs"}
    replace(other, **{name: [theirs] if name == "pages" else theirs})
    sent = {"title": "a", "owner_id": document.owner_id, name: nested}

    answer = client.request(method, "/" if method == "POST" else f"/{document.pk}/", json=sent)

    assert answer.status_code == 409
    place = [name, 0] if name == "pages" else [name]
    assert answer.json()["detail"][0]["loc"] == ["body", *place, key]
    related: Any = (Page if name == "pages" else Seal).objects.get()
    assert (related.text, related.document) == ("theirs", other)


# Which objects may be referred to


class MemberSchema(ModelSchema[Member]):
    name: str
    rank: int


class ClubSchema(ModelSchema[Club]):
    name: str
    head: int | None
    clerk_id: int | None
    members: list[int]


@pytest.fixture
def members(db: None) -> tuple[Member, Member]:
    return (
        Member.objects.create(name="able", rank=1),
        Member.objects.create(name="unable", rank=0),
    )


@pytest.mark.parametrize("full_clean", [False, True])
@pytest.mark.parametrize("name", ["head", "clerk_id", "members"])
def test_a_key_leads_to_a_choice(
    name: str, full_clean: bool, members: tuple[Member, Member]
) -> None:
    able, unable = [[each.pk] if name == "members" else each.pk for each in members]

    club = body(Create[ClubSchema], name="a", **{name: able}).create(full_clean=full_clean)
    with pytest.raises(ValidationError) as caught:
        body(Create[ClubSchema], name="b", **{name: unable}).create(full_clean=full_clean)
    assert caught.value.message_dict.keys() == {name}
    with pytest.raises(ValidationError) as caught:
        body(Patch[ClubSchema], **{name: unable}).save(club, full_clean=full_clean)
    assert caught.value.message_dict.keys() == {name}

    assert ClubSchema.from_model(Club.objects.get()).model_dump()[name] == able


@pytest.mark.parametrize("full_clean", [False, True])
def test_what_is_nested_is_a_choice(full_clean: bool) -> None:
    class Nested(ModelSchema[Club]):
        name: str
        head: Writable[MemberSchema | None]
        members: Writable[list[MemberSchema]]

    able, unable = {"name": "able", "rank": 1}, {"name": "unable", "rank": 0}
    body(Create[Nested], name="a", head=able, members=[able]).create(full_clean=full_clean)

    for place, nested in (("head", {"head": unable}), ("members.1", {"members": [able, unable]})):
        with pytest.raises(ValidationError) as caught:
            body(Create[Nested], name="b", **nested).create(full_clean=full_clean)
        assert caught.value.message_dict.keys() == {place}
    assert Club.objects.count() == 1
    assert Member.objects.count() == 2


def test_what_is_no_choice_is_told_as_by_a_form(members: tuple[Member, Member]) -> None:
    form = modelform_factory(Club, fields=["name", "members"])
    able, unable = members
    nobody = unable.pk + 1

    for key in (unable.pk, nobody):  # whether there is such an object is not told
        sent = {"name": "a", "members": [able.pk, key]}
        with pytest.raises(ValidationError) as caught:
            body(Create[ClubSchema], **sent).create()
        assert caught.value.message_dict == form(sent).errors
        assert not Club.objects.exists()


class Heads(ModelSchema[Club]):
    name: str


class Head(ModelSchema[Member]):
    rank: int
    heads: Writable[list[Heads]] = []
    club: Writable[Heads | None] = None
    clubs: list[int] = []


@pytest.mark.parametrize("full_clean", [False, True])
@pytest.mark.parametrize("name", ["heads", "club", "clubs"])
def test_what_refers_to_the_object_may_choose_it(
    name: str, full_clean: bool, members: tuple[Member, Member]
) -> None:
    club = Club.objects.create(name="a")
    value: Any = {"heads": [{"name": "b"}], "club": {"name": "b"}, "clubs": [club.pk]}[name]
    able, unable = members

    body(Patch[Head], **{name: value}).save(able, full_clean=full_clean)
    with pytest.raises(ValidationError) as caught:
        body(Patch[Head], **{name: value}).save(unable, full_clean=full_clean)

    assert caught.value.message_dict.keys() == {name}
    assert Head.from_model(Member.objects.get(pk=able.pk)).model_dump()[name] == value
    assert not Head.from_model(unable).model_dump()[name]


@pytest.mark.parametrize("name", ["club", "heads"])
def test_what_may_be_alone_is_let_go_as_by_a_manager_of_django(
    name: str, members: tuple[Member, Member]
) -> None:
    member, _ = members
    club = Club.objects.create(name="a", clerk=member, head=member)

    nothing: Any = {"club": None, "heads": []}[name]
    body(Patch[Head], **{name: nothing}).save(member)

    club.refresh_from_db()
    assert (club.clerk, club.head) == ((None, member) if name == "club" else (member, None))
    assert Head.from_model(member).model_dump()[name] == nothing


@pytest.mark.parametrize("name", ["seal", "pages"])
def test_what_may_not_be_alone_is_deleted(name: str, document: Document) -> None:
    replace(document, seal={"code": "a", "text": "-"}, pages=[{"number": "a", "text": "-"}])

    replace(document, **{name: None if name == "seal" else []})

    assert (Seal.objects.count(), Page.objects.count()) == ((0, 1) if name == "seal" else (1, 0))


def test_rows_between_choose_too(members: tuple[Member, Member]) -> None:
    class VisitSchema(ModelSchema[Visit]):
        guest: int
        reason: str

    class Visited(ModelSchema[Club]):
        name: str
        visit_set: Writable[list[VisitSchema]]

    visits = [{"guest": each.pk, "reason": "tea"} for each in members]

    with pytest.raises(ValidationError) as caught:
        body(Create[Visited], name="a", visit_set=visits).create()

    assert caught.value.message_dict.keys() == {"visit_set.1.guest"}


# The far side of a many-to-many relation


def test_keys_on_the_far_side_are_written(document: Document, other: Document) -> None:
    class Far(ModelSchema[Label]):
        word: str
        documents: list[int]

    label = body(Create[Far], word="a", documents=[document.pk]).create()
    assert Far.from_model(label).documents == [document.pk]

    body(Patch[Far], documents=[other.pk]).save(label)
    assert list(label.documents.all()) == [other]
    body(Update[Far]).save(label)
    assert list(label.documents.all()) == [other]
    with pytest.raises(ValidationError) as caught:
        body(Patch[Far], documents=[0]).save(label)
    assert caught.value.message_dict.keys() == {"documents"}
    body(Patch[Far], documents=[]).save(label)
    assert not label.documents.exists()


def test_keys_on_the_far_side_are_refused_where_rows_need_more() -> None:
    class Wrong(ModelSchema[Person]):
        projects: list[str]

    class Liked(ModelSchema[Person]):
        liked: list[str]

    TypeAdapter(Create[Liked])
    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[Wrong])

    assert str(caught.value) == (
        "'Wrong.projects' cannot be written: each row of 'Membership' needs 'role' too. Write "
        "'ReadOnly[...]' here, and for requests a 'Writable' list of schemas of 'Membership'."
    )


def test_a_nested_object_and_its_key_are_not_both_written() -> None:
    class Both(ModelSchema[Document]):
        folder_id: str | None
        folder: Writable[FolderSchema | None]

    class One(ModelSchema[Document]):
        folder_id: ReadOnly[str | None]
        folder: Writable[FolderSchema | None]

    TypeAdapter(Create[One])
    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[Both])

    assert str(caught.value) == (
        "'Both.folder' and '.folder_id' both say to what the foreign key refers: write "
        "'ReadOnly[...]' for one of them."
    )


# Descriptors that are not Django's


class OddSchema(ModelSchema[Odd]):
    text: str
    state: str


def test_a_field_is_set_as_its_descriptor_sets_it() -> None:
    odd = body(Create[OddSchema], text="a").create()

    assert odd.text == Odd.objects.get().text == "A"


@pytest.mark.parametrize(
    ("sent", "message"),
    [("fixed", "This cannot be set."), ("unfit", "This is unfit."), ("wrong", "This is wrong.")],
)
def test_what_a_descriptor_refuses_is_no_error_of_the_server(sent: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        body(Create[OddSchema], text=sent).create()

    assert caught.value.message_dict == {"text": [message]}


def test_a_state_that_only_transitions_change_is_read_only() -> None:
    odd = Odd.objects.create(text="a")

    body(Patch[OddSchema], state="sent").save(odd)

    assert Odd.objects.get().state == "new"
    assert TypeAdapter(Create[OddSchema]).json_schema()["properties"].keys() == {"text"}
