"""Is it told which fields of a schema are hidden by their names, or hide a method?"""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from pydantic import PydanticUserError, TypeAdapter

from django_mullet import Create, ModelSchema, Patch, schema_for
from django_mullet.checks.schemas import messages_of
from django_mullet.codegen.schema_for import source_for


class Ticket(models.Model):
    title = models.CharField(max_length=9)
    _priority = models.IntegerField(default=1, db_column="prio")
    save_ = models.BooleanField(default=False)
    create = models.BooleanField(default=False)
    update = models.BooleanField(default=False)
    copy = models.BooleanField(default=False)
    model_extra = models.CharField(max_length=9, blank=True)

    class Meta:
        app_label = "names"

    def __str__(self) -> str:
        return self.title


MADE: list[Any] = []


@pytest.fixture(autouse=True)
def schemas_are_forgotten() -> Iterator[None]:
    """Have `manage.py check`, which looks at every schema, find nothing in those of this module."""
    yield
    for schema in MADE:
        schema.__annotations__.clear()


def private() -> Any:
    class Private(ModelSchema[Ticket]):
        title: str
        _priority: int
        _cache: int = 3  # of no field: that is the schema's own

    MADE.append(Private)
    return Private


def hiding() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pydantic, of the same

        class Hiding(ModelSchema[Ticket]):
            title: str
            create: bool  # type: ignore[assignment]
            update: bool = True  # type: ignore[assignment]

    MADE.append(Hiding)
    return Hiding


def found(schema: Any) -> list[tuple[Any, str, Any]]:
    messages: list[CheckMessage] = list(messages_of(schema))
    return [(message.id, message.msg, message.hint) for message in messages]


def test_E004_names_private_fields_of_the_model() -> None:
    base = private()

    class Below(base):  # type: ignore[misc]
        save_: bool

    assert found(base) == [
        (
            "mullet.E004",
            (
                "'Private._priority' begins with an underscore: Pydantic makes it private, and no "
                "request or answer has it."
            ),
            (
                "Leave it out of the schema; or, in a model of your own, call the field of "
                "'Ticket' 'priority', with 'db_column=\"prio\"' so that its table stays as it is."
            ),
        )
    ]
    assert found(Below) == []  # as it is told of its base


def test_W009_names_fields_that_hide_methods() -> None:
    assert found(hiding()) == [
        (
            "mullet.W009",
            f"'Hiding.{name}' is a field, and hides the method of that name.",
            f"Write 'Hiding.{name}(body, ...)' where you would write 'body.{name}(...)'.",
        )
        for name in ("create", "update")
    ]


HIDING = {"create", "update", "copy", "model_extra"}
SHOWN = [name for name in dir(ModelSchema) if not name.startswith("_")]


@pytest.mark.parametrize("name", SHOWN)
def test_W009_names_all_of_which_pydantic_warns(name: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            schema, refusal = of_fields(name), ""
        except (NameError, PydanticUserError, ValueError) as error:
            schema, refusal = None, str(error)

    if schema is None:
        assert name in refusal  # so it is told already
        return
    assert [id_ for id_, _, _ in found(schema)].count("mullet.W009") == len(told) == 1


@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [
        (
            "copy",
            "hides the method of that name.",
            "Write 'Hiding.copy(body, ...)' where you would write 'body.copy(...)'.",
        ),
        (
            "schema",
            "hides the method of that name.",
            "Write 'Hiding.schema(...)' where you would write 'body.schema(...)'.",
        ),
        (
            "model_extra",
            "'body.model_extra' is another attribute, of Pydantic's.",
            "Read 'vars(body)[\"model_extra\"]', or call the field of the model otherwise.",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Field name")
def test_W009_tells_what_to_write(name: str, says: str, hint: str) -> None:
    schema = of_fields(name)

    [(_, told, what)] = [each for each in found(schema) if each[0] == "mullet.W009"]

    assert (told, what) == (f"'Hiding.{name}' is a field, and {says}", hint)


def of_fields(*names: str) -> Any:
    space = {"__annotations__": dict.fromkeys(names, str), "__module__": __name__}
    schema: Any = type(ModelSchema)("Hiding", (ModelSchema[Ticket],), space)
    MADE.append(schema)
    return schema


@pytest.mark.filterwarnings("ignore:Field name")
def test_what_is_hidden_is_written() -> None:
    patch: Any = Patch
    body = TypeAdapter(patch[of_fields("model_extra")]).validate_python({"model_extra": "a"})

    assert body.update(Ticket(model_extra="b")).model_extra == "a"


def test_what_is_hidden_is_called_by_the_class() -> None:
    schema: Any = hiding()
    create: Any = Create
    patch: Any = Patch
    body = TypeAdapter(create[schema]).validate_python({"title": "a", "create": True})
    change = TypeAdapter(patch[schema]).validate_python({"update": False})

    row = body.to_model()

    assert (row.title, row.create, row.update) == ("a", True, True)
    assert schema.update(change, row).update is False


def test_a_draft_has_no_field_that_is_private() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MADE.append(schema_for(Ticket))
    assert set(MADE[-1].model_fields) == {"id", "title", "save_", *HIDING}
    source = source_for(Ticket, fields=["id", "title"])
    assert "_priority" not in source_for(Ticket)
    assert "title: str" in source

    with pytest.raises(ImproperlyConfigured) as caught:
        schema_for(Ticket, fields=["_priority"])

    assert str(caught.value) == (
        "'_priority' of 'Ticket' begins with an underscore, as what Pydantic keeps to itself: "
        'leave it out, by exclude=["_priority"]; or, in a model of your own, call the field '
        "'priority', with 'db_column=\"prio\"'."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left: Any = schema_for(Ticket, fields=["title", "_priority"], exclude=["_priority"])
    MADE.append(left)
    assert set(left.model_fields) == {"title"}
