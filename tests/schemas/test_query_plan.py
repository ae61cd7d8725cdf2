"""Does a plan tell what a schema needs of its model?"""

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydantic import AliasChoices, AliasPath, Field

from django_mullet import ModelSchema, reads
from django_mullet.schemas.input_keys import input_key
from django_mullet.schemas.query_plan import _behind, plan_of
from tests.catalogue.models import Agent, Chapter, Jacket, Keyword, Note, Person, Publisher, Work
from tests.fieldtypes.models import Attachments


class ChapterSchema(ModelSchema[Chapter]):
    heading: str


class PersonSchema(ModelSchema[Person]):
    name: str
    friends: list[int]


class JacketSchema(ModelSchema[Jacket]):
    colour: str


class WorkSchema(ModelSchema[Work]):
    title: str
    rating: Decimal | None
    author: PersonSchema
    chapters: list[ChapterSchema]
    jacket: JacketSchema | None


class LabelSchema(ModelSchema[Work]):
    label: str
    jacket: JacketSchema | None


class CitySchema(ModelSchema[Work]):
    city: str


class Labels(ModelSchema[Person]):
    works: list[LabelSchema]


class Cities(ModelSchema[Chapter]):
    work: CitySchema


class CoverSchema(ModelSchema[Attachments]):
    title: str
    file: str


class About(ModelSchema[Note]):
    about: PersonSchema | WorkSchema


def test_a_plan_describes_its_queries() -> None:
    assert list(plan_of(WorkSchema).described()) == [
        "title, rating, author(name), jacket(colour)",
        "author.friends: pk",
        "chapters: heading",
    ]


def test_what_only_an_instance_has_is_known() -> None:
    assert plan_of(WorkSchema).fits_in_rows()
    assert not plan_of(LabelSchema).fits_in_rows()
    assert not plan_of(Labels).fits_in_rows()


def test_only_what_is_read_is_loaded() -> None:
    assert plan_of(LabelSchema).loaded() == {"title", "author", "author__name", "jacket__colour"}
    assert set(plan_of(LabelSchema).joined()) == {"author", "jacket"}


def test_what_is_not_told_may_be_anything() -> None:
    assert plan_of(CitySchema).loaded() is None
    assert plan_of(Cities).loaded() is None


def test_a_generic_foreign_key_needs_instances() -> None:
    plan = plan_of(About)

    assert plan.needs == ("about",)
    assert plan.prefetched == ("about",)


def test_what_comes_back_by_no_foreign_key_is_prefetched() -> None:
    class AgentSchema(ModelSchema[Agent]):
        name: str

    class PublisherSchema(ModelSchema[Publisher]):
        code: str
        agents: list[AgentSchema]

    assert plan_of(PublisherSchema).prefetched == ("agents",)


def test_a_property_may_read_related_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    def headings(work: Any) -> list[str]:
        return [chapter.heading for chapter in work.chapters.all()]

    monkeypatch.setattr(Work, "headings", property(reads("chapters")(headings)), raising=False)

    class Headings(ModelSchema[Work]):
        headings: list[str]

    assert plan_of(Headings).prefetched == ("chapters",)


def test_one_property_that_does_not_tell_makes_it_unknown() -> None:
    class Both(ModelSchema[Work]):
        city: str
        label: str

    assert plan_of(Both).loaded() is None


@pytest.mark.parametrize(
    ("field", "key"),
    [
        (Field(), "word"),
        (Field(alias="x"), "x"),
        (Field(validation_alias="x"), "x"),
        (Field(serialization_alias="x"), "word"),
        (Field(validation_alias=AliasChoices(AliasPath("x", "y"), "z")), "z"),
        (Field(validation_alias=AliasPath("x", "y")), "word"),
    ],
)
def test_input_is_called_as_the_schema_wants_it(field: Any, key: str) -> None:
    class Words(ModelSchema[Keyword]):
        word: str = field

    assert input_key(Words, "word") == key


def command(path: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    call_command("queryplan", path)
    return capsys.readouterr().out.splitlines()


def test_the_command_prints_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("tests.schemas.test_query_plan.WorkSchema", capsys) == [
        "WorkSchema of catalogue.Work, 3 queries:",
        "  1. title, rating, author(name), jacket(colour)",
        "  2. author.friends: pk",
        "  3. chapters: heading",
        "As rows: no instance is made.",
    ]


def test_the_command_says_why_instances_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("tests.schemas.test_query_plan.Labels", capsys) == [
        "Labels of catalogue.Person, 2 queries:",
        "  1. pk",
        "  2. works: author__name, title, jacket(colour)",
        "As instances, because of 'LabelSchema.label'.",
    ]


def test_the_command_names_every_column_that_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("tests.schemas.test_query_plan.CoverSchema", capsys) == [
        "CoverSchema of fieldtypes.Attachments, 1 query:",
        "  1. title, file",
        "As instances, because of 'CoverSchema.file'.",
    ]


def test_the_command_says_that_any_column_may_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("tests.schemas.test_query_plan.CitySchema", capsys) == [
        "CitySchema of catalogue.Work, 1 query:",
        "  1. every column",
        "As instances, because of 'CitySchema.city'.",
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "shop.BookSchema",
            "'shop.BookSchema' cannot be imported: No module named 'shop'",
        ),
        (
            "tests.schemas.test_query_plan.Work",
            "'tests.schemas.test_query_plan.Work' is no 'ModelSchema'.",
        ),
    ],
)
def test_the_command_needs_a_schema(path: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("queryplan", path)

    assert str(caught.value) == message


def test_what_code_reads_of_the_object_from_which_it_came_is_known_by_column() -> None:
    read = ["author", "author__name", "author__mentor__name", "title"]

    assert list(_behind(("author",), read)) == ["name", "mentor"]
    assert list(_behind(("mentor", "author"), read)) == ["name"]
