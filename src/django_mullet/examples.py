"""Which values does a test send for a new object of a model?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from pydantic import TypeAdapter, ValidationError

from django_mullet.drafts import schema_for
from django_mullet.fields import find_field
from django_mullet.samples import FORMATS, within
from django_mullet.schemas import Create

__all__ = ["Row", "body_of", "example_of", "labels_of"]

OTHERS: Mapping[str, Any] = {"array": [], "boolean": True}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that another refers to, by the value of its field `key`."""

    model: type[models.Model]
    key: Any
    values: Mapping[str, Any]


def body_of(
    model: type[models.Model],
    given: Mapping[str, Any],
    within: tuple[type[models.Model], ...] = (),
) -> dict[str, Any]:
    """Return what a request must send for a new object: values, `Row`s and lists of `Row`s.

    `given` are values by the labels of their fields, "shop.Book.isbn", of the rows that the object
    needs too; `within` are the models whose objects need this one. Raises `ImproperlyConfigured`
    for a field of which no value is known.
    """
    create: Any = TypeAdapter(Create[schema_for(model)])  # type: ignore[misc]
    document = create.json_schema()
    definitions = document.get("$defs", {})
    body = {
        name: given.get(_label(model, name), example_of(schema, definitions))
        for name, schema in document["properties"].items()
        if name in document.get("required", ()) or _label(model, name) in given
    }
    try:
        create.validate_python(body)
    except ValidationError as error:
        raise _unknown(model, str(error.errors()[0]["loc"][0])) from None
    return {
        name: value if _label(model, name) in given else _stored(model, name, value, given, within)
        for name, value in body.items()
    }


def labels_of(model: type[models.Model], body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the labels of the fields that have values in `body`, and in the rows that it needs."""
    for name, value in body.items():
        yield _label(model, name)
        for row in value if isinstance(value, list) else [value]:
            if isinstance(row, Row):
                yield from labels_of(row.model, row.values)


def example_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    """Return a value of a JSON Schema, an object without members where nothing better is known."""
    if "$ref" in schema:
        return example_of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind in {"integer", "number"}:
        return within(1, schema.get("minimum"), schema.get("maximum"))
    if kind == "string":
        text = FORMATS.get(schema.get("format", ""), "text")
        return text.ljust(schema.get("minLength", 0), "t")[: schema.get("maxLength")]
    return OTHERS.get(kind, {})


def _label(model: type[models.Model], name: str) -> str:
    return f"{model._meta.label}.{name}"


def _stored(
    model: type[models.Model],
    name: str,
    value: Any,
    given: Mapping[str, Any],
    within: tuple[type[models.Model], ...],
) -> Any:
    """Return the rows that `value` stands for if the field is a relation, else `value`."""
    field: Any = find_field(model, name)
    if field.remote_field is None:
        return value
    if field.related_model in (*within, model):
        raise _unknown(model, name)
    needed = body_of(field.related_model, given, (*within, model))
    # To rows that tests make without the API no list of others is given.
    values = {name: value for name, value in needed.items() if not isinstance(value, list)}
    if field.many_to_many:
        return [Row(field.related_model, field.related_model._meta.pk, values)]
    return Row(field.related_model, field.target_field, values)


def _unknown(model: type[models.Model], name: str) -> ImproperlyConfigured:
    label = _label(model, name)
    return ImproperlyConfigured(
        f"No value of '{label}' is known that its model takes: write --example {label}=VALUE."
    )
