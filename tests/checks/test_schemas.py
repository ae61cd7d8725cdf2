"""Is an annotation that contradicts its model told, and no other?"""

import enum
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import pytest
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    JsonValue,
    PositiveInt,
    TypeAdapter,
    create_model,
    field_validator,
    model_validator,
)

from django_mullet import CreateOnly, ModelSchema, Range, ReadOnly, WriteOnly
from django_mullet.checks.schemas import ALIKE, SCALARS, check_schemas, messages_of
from tests.catalogue import models as catalogue
from tests.fieldtypes import models as fieldtypes
from tests.fieldtypes import schemas
from tests.library.models import Author, Book, Cover, Tag

Title = NewType("Title", str)
MaybeTitle = NewType("MaybeTitle", str | None)  # type: ignore[valid-newtype]


class Language(enum.StrEnum):
    ENGLISH = "en"
    GREEK = "el"


class Stars(enum.Enum):
    ONE = 1


class AuthorSchema(ModelSchema[Author]):
    name: str


class TagSchema(ModelSchema[Tag]):
    label: str


class Settings(BaseModel):
    dark: bool = False


def messages(model: type[models.Model], name: str, annotation: Any) -> list[tuple[str, str | None]]:
    base: Any = ModelSchema.__class_getitem__(model)
    definition: Any = {name: (annotation, ...)}
    schema = create_model("S", __base__=base, **definition)
    return [(message.msg, message.hint) for message in messages_of(schema)]


class _Key:
    """Where instances have a foreign key's object, the key: as a state of django-fsm."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else instance.__dict__[self.field.attname]


class KeyField(models.ForeignKey[Any, Any]):
    forward_related_accessor_class = _Key  # type: ignore[assignment]


def error(message: str, hint: str, schema: Any) -> Error:
    return Error(message, hint=hint, obj=schema, id="mullet.E004")


# mullet.E004


def test_E004_is_about_every_schema_that_is_imported() -> None:
    class Wrong(ModelSchema[Book]):
        price: str

    class WrongStill(Wrong):
        title: str

    class Wronger(WrongStill):
        price: bytes  # type: ignore[assignment]

    says = "the values of 'Book.price', a DecimalField, are 'Decimal'."
    assert [
        found for found in check_schemas(None) if found.obj in (Wrong, WrongStill, Wronger)
    ] == [
        error(f"'Wrong.price' is 'str', but {says}", "Write 'price: Decimal'.", Wrong),
        error(f"'Wronger.price' is 'bytes', but {says}", "Write 'price: Decimal'.", Wronger),
    ]


def test_E004_names_schemas_that_contain_themselves() -> None:
    class Circular(ModelSchema[Book]):
        author: "Shelved"

    with pytest.raises(ImproperlyConfigured):

        class Shelved(ModelSchema[Author]):
            books: list[Circular]

    found = [message for message in check_schemas(None) if "'Shelved' contains" in message.msg]

    hint = (
        "In one of these places write the keys, 'list[int]' for instance, or a schema without the "
        "next."
    )
    assert {(message.id, message.hint) for message in found} == {("mullet.E004", hint)}


def schemas_of(source: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is told of the schemas, when the application is in a module of `source`."""
    (directory / "schemas_asgi.py").write_text(source)
    monkeypatch.syspath_prepend(directory)
    monkeypatch.delitem(sys.modules, "schemas_asgi", raising=False)
    with override_settings(ASGI_APPLICATION="schemas_asgi.app"):
        return [
            found.msg for found in check_schemas(None) if found.obj.__module__ == "schemas_asgi"
        ]


def test_mullet_E004_imports_the_application_to_see_its_schemas(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = """
from fastapi import FastAPI

from django_mullet import ModelSchema
from tests.library.models import Book


class OfTheApplication(ModelSchema[Book]):
    titel: str


app = FastAPI()
"""

    messages = schemas_of(source, tmp_path, monkeypatch)

    says = "'OfTheApplication.titel' is 'str', but 'Book' has nothing of that name."
    assert says in messages


def test_mullet_E004_leaves_it_to_E002_why_there_is_no_application(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    messages = schemas_of("1 / 0", tmp_path, monkeypatch)

    assert [message for message in messages if "division" in message] == []


@pytest.mark.parametrize(
    ("model", "name", "annotation", "message", "hint"),
    [
        (
            Book,
            "id",
            str,
            "'S.id' is 'str', but the values of 'Book.id', a BigAutoField, are 'int'.",
            "Write 'id: int'.",
        ),
        (
            Author,
            "born",
            date,
            "'S.born' is 'date', but 'Author.born' may be null.",
            "Write 'born: date | None'.",
        ),
        (
            Author,
            "born",
            bool | None,
            (
                "'S.born' is 'bool | None', but the values of 'Author.born', a DateField, are "
                "'date | None'."
            ),
            "Write 'born: date | None'.",
        ),
        (
            Author,
            "born",
            bool,
            (
                "'S.born' is 'bool', but the values of 'Author.born', a DateField, are "
                "'date | None'."
            ),
            "Write 'born: date | None'.",
        ),
        (
            catalogue.Work,
            "publisher",
            int,
            (
                "'S.publisher' is 'int', but the keys of 'Publisher', to which 'Work.publisher' "
                "leads, are 'str'."
            ),
            "Write 'publisher: str | None', or a schema.",
        ),
        (
            Book,
            "cover",
            str,
            (
                "'S.cover' is 'str', but the keys of 'Cover', to which 'Book.cover' leads, are "
                "'int'."
            ),
            "Write 'cover: int | None', or a schema.",
        ),
        (
            Cover,
            "image",
            str,
            "'S.image' is 'str', but 'Cover.image' may be null.",
            "Write 'image: str | None'.",
        ),
        (
            Book,
            "titel",
            str,
            "'S.titel' is 'str', but 'Book' has nothing of that name.",
            "Write 'title', or, if querysets annotate it, 'titel: ReadOnly[str]'.",
        ),
        (
            Book,
            "n_pages",
            int,
            "'S.n_pages' is 'int', but 'Book' has nothing of that name.",
            "Write 'n_pages: ReadOnly[int]', if querysets annotate it.",
        ),
        (
            Book,
            "get_language_display",
            str,
            "'S.get_language_display' is 'str', but 'Book.get_language_display' is a method.",
            "Call it in a property of 'Book', or in a computed field of the schema.",
        ),
        (
            Book,
            "author",
            TagSchema,
            (
                "'S.author' is 'TagSchema', but 'Book.author' leads to 'Author', and that is a "
                "schema of 'Tag'."
            ),
            "Write 'author' with a schema of 'Author', or 'author: int'.",
        ),
        (
            Book,
            "author",
            str,
            (
                "'S.author' is 'str', but the keys of 'Author', to which 'Book.author' leads, are "
                "'int'."
            ),
            "Write 'author: int', or a schema.",
        ),
        (
            Book,
            "author",
            list[AuthorSchema],
            "'S.author' is 'list[AuthorSchema]', but 'Book.author' leads to one object.",
            "Write 'author: int', or a schema.",
        ),
        (
            Book,
            "cover",
            int,
            "'S.cover' is 'int', but 'Book.cover' may be null.",
            "Write 'cover: int | None'.",
        ),
        (
            catalogue.Work,
            "spot",
            tuple[str, int],
            "'S.spot' is 'tuple[str, int]', but 'Work.spot' may be null.",
            "Write 'spot: tuple[str, int] | None'.",
        ),
        (
            Book,
            "tags",
            TagSchema,
            "'S.tags' is 'TagSchema', but 'Book.tags' leads to many objects.",
            "Write 'tags: list[TagSchema]'.",
        ),
        (
            Author,
            "books",
            int,
            "'S.books' is 'int', but 'Author.books' leads to many objects.",
            "Write 'books: list[int]'.",
        ),
        (
            Book,
            "tags",
            list[int],
            (
                "'S.tags' is 'list[int]', but the keys of 'Tag', to which 'Book.tags' leads, are "
                "'str'."
            ),
            "Write 'tags: list[str]', or a schema.",
        ),
        (
            fieldtypes.Ranges,
            "integers",
            list[int],
            (
                "'S.integers' is 'list[int]', but the values of 'Ranges.integers', a "
                "IntegerRangeField, are 'Range[int]'."
            ),
            "Write 'integers: Range[int]'.",
        ),
        (
            fieldtypes.Arrays,
            "texts",
            list[int],
            (
                "'S.texts' is 'list[int]', but the values of 'Arrays.texts', a ArrayField, are "
                "'list[str]'."
            ),
            "Write 'texts: list[str]'.",
        ),
        (
            fieldtypes.Stored,
            "attributes",
            str,
            (
                "'S.attributes' is 'str', but the values of 'Stored.attributes', a HStoreField, "
                "are 'dict[str, str | None]'."
            ),
            "Write 'attributes: dict[str, str | None]'.",
        ),
        (
            Book,
            "title",
            TagSchema,
            "'S.title' is 'TagSchema', but the values of 'Book.title', a CharField, are 'str'.",
            "Write 'title: str'.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_E004_names_what_the_model_says(
    model: Any, name: str, annotation: Any, message: str, hint: str
) -> None:
    assert messages(model, name, annotation) == [(message, hint)]


@pytest.mark.parametrize(
    ("model", "name", "annotation"),
    [
        (Book, "title", Title),
        (Book, "title", Any),
        (Book, "title", object),
        (Book, "title", Annotated[str, Field(max_length=3)]),
        (Book, "title", Annotated[str, AfterValidator(str.title)]),
        (Book, "title", list[Annotated[str, Field(max_length=3)]] | str),
        (Book, "title", CreateOnly[str]),
        (Book, "title", str | None),
        (Book, "language", Language),
        (Book, "language", Literal["en", "el"]),
        (Book, "price", float),
        (Book, "price", Annotated[str, BeforeValidator(str)]),
        (Book, "price", Annotated[str, BeforeValidator(str)] | None),
        (Book, "secret", Json[list[int]]),
        (Book, "author", int | AuthorSchema),
        (Book, "author_id", PositiveInt),
        (Book, "tags", Sequence[TagSchema]),
        (Book, "tags", list),
        (Book, "tags", Any),
        (Book, "cover", int | None),
        (Book, "n_pages", ReadOnly[int]),
        (Book, "pk", int),
        (Author, "initial", str),
        (Author, "born", Annotated[date, Field(gt=date(1, 1, 1))] | None),
        (Author, "born", WriteOnly[date]),
        (Author, "name", MaybeTitle),
        (fieldtypes.Texts, "url", HttpUrl),
        (fieldtypes.Texts, "nullable", Any),
        (fieldtypes.Keys, "ip", IPv4Address),
        (fieldtypes.Numbers, "stars", Stars | None),
        (fieldtypes.Documents, "document", Settings),
        (fieldtypes.Documents, "document", dict[str, int]),
        (fieldtypes.Documents, "nullable", JsonValue),
        (fieldtypes.Composite, "pk", tuple[str, int]),
        (catalogue.Work, "spot", tuple[str, int] | None),
        (fieldtypes.Stored, "attributes", Mapping[str, str | None]),
        (fieldtypes.Arrays, "texts", set[Title]),
        (fieldtypes.Relations, "content_object", AuthorSchema | TagSchema),
        (fieldtypes.Ranges, "dates", Range[date] | None),
    ],
    ids=str,
)
def test_no_wolf_is_cried(model: Any, name: str, annotation: Any) -> None:
    assert messages(model, name, annotation) == []


@pytest.mark.parametrize(
    "schema", [found for found in vars(schemas).values() if isinstance(found, type)], ids=str
)
def test_what_a_person_writes_is_right(schema: Any) -> None:
    assert not issubclass(schema, ModelSchema) or list(messages_of(schema)) == []


def test_a_validator_may_convert_a_value() -> None:
    class OfField(ModelSchema[Book]):
        price: str
        title: int

        @field_validator("price", mode="before")
        @classmethod
        def spell(cls, value: Decimal) -> str:
            return str(value)

    class OfModel(ModelSchema[Book]):
        price: str

        @model_validator(mode="before")
        @classmethod
        def spell(cls, values: Any) -> Any:
            return {"price": "nothing"}

    assert [found.hint for found in messages_of(OfField)] == ["Write 'title: str'."]
    assert list(messages_of(OfModel)) == []


def test_what_cannot_be_known_yet_is_let_pass() -> None:
    class Nameless(ModelSchema):  # type: ignore[type-arg]
        price: str

    class Abstract(models.Model):
        class Meta:
            abstract = True
            app_label = "library"

        def __str__(self) -> str:
            return "A ticket"

    class OfAbstract(ModelSchema[Abstract]):
        price: str

    class WithDefault(ModelSchema[Book]):
        n_pages: int = 0

    class Shown(ModelSchema[Book]):
        model_config = ConfigDict(extra="forbid")

    for schema in (Nameless, OfAbstract, WithDefault, Shown):
        assert list(messages_of(schema)) == []


def test_a_field_of_which_nothing_is_known_is_let_pass() -> None:
    class Unheard(models.Field):  # type: ignore[type-arg]
        pass

    class Special(models.Model):
        column = Unheard()

        class Meta:
            app_label = "unheard"

        def __str__(self) -> str:
            return "special"

    assert messages(Special, "column", int) == []


VALUES: dict[type, Any] = {
    bool: True,
    bytes: b"\xff",
    date: date(2000, 1, 2),
    datetime: datetime(2000, 1, 2, 3, tzinfo=UTC),
    Decimal: Decimal("2.5"),
    float: 2.5,
    int: 2,
    str: "a",
    time: time(3),
    timedelta: timedelta(1),
    UUID: UUID(int=1),
}


ALIKE_PAIRS = [
    (stored, shown)
    for stored, shown in product(SCALARS, SCALARS)
    if stored is shown or {stored, shown} in ALIKE
]


@pytest.mark.parametrize(("stored", "shown"), ALIKE_PAIRS)
def test_pydantic_reads_what_is_let_pass(stored: type, shown: type) -> None:
    assert isinstance(TypeAdapter(shown).validate_python(VALUES[stored]), shown)


@isolate_apps("tests.library")
def test_a_foreign_key_that_shows_no_object_has_no_schema() -> None:
    class Ticket(models.Model):
        tag = KeyField(Tag, models.CASCADE, related_name="+")

        class Meta:
            app_label = "library"

        def __str__(self) -> str:
            return "A ticket"

    says = "'Ticket.tag' is a key on instances, as a KeyField shows no object."
    assert messages(Ticket, "tag", TagSchema) == [
        (f"'S.tag' is 'TagSchema', but {says}", "Write 'tag: str'.")
    ]
    assert messages(Ticket, "tag", str) == []
