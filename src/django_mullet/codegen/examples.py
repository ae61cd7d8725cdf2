"""Example values for new objects of a model, for generated tests."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from pydantic import TypeAdapter, ValidationError, create_model

from django_mullet.codegen.schema_for import schema_for
from django_mullet.fields.info import facts_of, find_field, is_parent_link
from django_mullet.fields.registry import annotation_of
from django_mullet.fields.samples import FORMATS, within
from django_mullet.fields.sensitive import is_secret
from django_mullet.schemas.model_schema import Create, ModelSchema, Writable

__all__ = ["Row", "body_of", "example_of", "labels_of", "lacks_value"]

OTHERS: Mapping[str, Any] = {"array": [], "boolean": True}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that another refers to, by the value of its field `key`."""

    model: type[models.Model]
    key: Any
    values: Mapping[str, Any]


def body_of(model: type[models.Model], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request must send for a new object: values, `Row`s and lists of `Row`s.

    `given` are values by the labels of their fields, "shop.Book.isbn", of the rows that the object
    needs too. Raises `ImproperlyConfigured` for a field of which no value is known.
    """
    return _Examples(given).body(model, schema_for(model), ())


@dataclass(frozen=True, slots=True)
class _Examples:
    """The rows that one test makes, no two of which have the same value where it is unique."""

    given: Mapping[str, Any]
    made: Counter[type[models.Model]] = field(default_factory=Counter)

    def body(
        self, model: type[models.Model], schema: Any, within: tuple[type[models.Model], ...]
    ) -> dict[str, Any]:
        """Return values of a new object of `model`; those of `within` need it."""
        variant: Any = Create
        create: Any = TypeAdapter(variant[schema])
        document = create.json_schema()
        definitions = document.get("$defs", {})
        body = {
            name: self._value(model, name, column, definitions)
            for name, column in document.get("properties", {}).items()
            if name in document.get("required", ()) or _label(model, name) in self.given
        }
        self.made.update([model, *model._meta.all_parents])
        try:
            create.validate_python(body)
        except ValidationError as error:
            raise _unknown(model, str(error.errors()[0]["loc"][0])) from None
        return {
            name: value
            if _label(model, name) in self.given
            else self._stored(model, name, value, within)
            for name, value in body.items()
        }

    def _value(
        self,
        model: type[models.Model],
        name: str,
        schema: Mapping[str, Any],
        definitions: Mapping[str, Any],
    ) -> Any:
        label, column = _label(model, name), find_field(model, name)
        before = self.made[column.model]
        example = self.given.get(label, example_of(schema, definitions))
        if not before or not _is_unique(column):
            return example
        value = example if label in self.given else _another(schema, example, before)
        if column.unique and value == example:
            raise ImproperlyConfigured(
                f"The tests need several rows of '{model._meta.label}', and '{label}' is unique: "
                "write them by hand, with a value for each."
            )
        return value

    def _stored(
        self,
        model: type[models.Model],
        name: str,
        value: Any,
        within: tuple[type[models.Model], ...],
    ) -> Any:
        """Return the rows that `value` stands for if the field is a relation, else `value`."""
        relation: Any = find_field(model, name)
        if relation.remote_field is None:
            return value
        related = relation.related_model
        if related in (*within, model):
            raise _unknown(model, name)
        values = self.body(related, _needed(related, self.given), (*within, model))
        if relation.many_to_many:
            return [Row(related, related._meta.pk, values)]
        return Row(related, relation.target_field, values)


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
    if kind == "array" and "items" in schema:
        return [example_of(schema["items"], definitions)]
    return OTHERS.get(kind, {})


def _label(model: type[models.Model], name: str) -> str:
    return f"{model._meta.label}.{name}"


def _needed(model: type[models.Model], given: Mapping[str, Any]) -> Any:
    """Return a schema of what a row made by code needs, whether or not a request may send it."""
    writable: Any = Writable
    needed: Any = {
        column.attname: (writable[annotation_of(column)], ...)
        for column in model._meta.concrete_fields
        if _label(model, column.attname) in given or _is_needed(model, column)
    }
    base: Any = ModelSchema[model]  # type: ignore[valid-type]
    return create_model(f"{model.__name__}Row", __base__=base, **needed)


def _is_needed(model: type[models.Model], column: Any) -> bool:
    facts = facts_of(model, column.attname)
    if not facts.required or is_parent_link(column) or column.attname.startswith("_"):
        return False
    # An empty text is stored, of a hash, a file or a secret, unless another row has it.
    return not (facts.read_only or is_secret(column)) or lacks_value(column) or column.unique


def lacks_value(column: Any) -> bool:
    """Return whether a row cannot be stored unless somebody gives it a value of `column`."""
    facts = facts_of(column.model, column.attname)
    return facts.required and column.get_default() is None and not is_parent_link(column)


def _is_unique(column: Any) -> bool:
    """Return whether there may be no second row with the same value, or the same with others."""
    meta = column.model._meta
    together = [constraint.fields for constraint in meta.total_unique_constraints]
    return column.unique or any(
        column.name in names for names in (*together, *meta.unique_together)
    )


def _another(schema: Mapping[str, Any], value: Any, number: int) -> Any:
    """Return a value beside the example `value` of the schema, another for each `number`."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return value
    if "enum" in schema:
        return [*schema["enum"], value][min(number, len(schema["enum"]))]
    if isinstance(value, int):
        return value + number
    if "format" not in schema:
        return value[: -len(str(number))] + str(number)
    if first := re.search(r"\d+", value):  # the year of a date, a part of an address
        return value.replace(first[0], str(int(first[0]) + number), 1)
    return f"{number}{value}" if schema["format"] == "email" else f"{value}{number}"


def _unknown(model: type[models.Model], name: str) -> ImproperlyConfigured:
    label = _label(model, name)
    return ImproperlyConfigured(
        f"No value of '{label}' is known that its model takes: write --example {label}=VALUE."
    )
