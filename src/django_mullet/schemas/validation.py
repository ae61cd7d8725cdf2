"""Validation of query rows and instances, without checks for what is valid already.

The core schema of a `ModelSchema` calls a Python function for each value, which reads instances of
the model. Rows are no such instances, so their core schema is the same without those functions.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator, core_schema

from django_mullet._compat.pydantic import core_schema_of
from django_mullet.callables import dotted_name
from django_mullet.exceptions import LazyLoad
from django_mullet.schemas.lazy_loads import from_above, read_one_by_one, refused
from django_mullet.schemas.nesting import is_schema
from django_mullet.schemas.variants import is_shaped

__all__ = ["are_of", "of_instance", "of_instances", "of_row", "of_rows"]


def of_instance(schema: Any, instance: Any) -> Any:
    """Return an instance of `schema` for `instance`, alone: what it reads it may query."""
    if read_one_by_one.get() is None:
        return schema.model_validate(instance)
    token = read_one_by_one.set(None)
    try:
        return schema.model_validate(instance)
    finally:
        read_one_by_one.reset(token)


def of_instances(schema: Any, instances: list[Any]) -> list[Any]:
    """Return an instance of `schema` for each of `instances`; raise `LazyLoad` if that queries."""
    try:
        with refused(schema.__name__):
            return _list_of(schema).validate_python(instances)
    except LazyLoad as error:
        raise from_above(error, schema) from None


def of_rows(schema: Any, rows: list[dict[str, Any]]) -> list[Any]:
    """Return an instance of `schema` for each of `rows`, which its plan has loaded."""
    validator, runs_code = _of_rows(schema)
    if runs_code:
        with refused(schema.__name__):
            return _validated(validator, schema, rows)
    return _validated(validator, schema, rows)


def of_row(schema: Any, row: dict[str, Any]) -> Any:
    """Return an instance of `schema` for `row`, alone: its validators may query."""
    [instance] = _validated(_of_rows(schema)[0], schema, [row])
    return instance


def _validated(validator: SchemaValidator, schema: Any, rows: list[dict[str, Any]]) -> list[Any]:
    try:
        instances: list[Any] = validator.validate_python(rows)
    except ValidationError:
        return _list_of(schema).validate_python(rows)  # which says what it is about
    return instances


def are_of(response_model: Any) -> Callable[[Any], bool] | None:
    """Return what tells whether a result is what `response_model` makes of it, at a glance.

    For a `ModelSchema` and lists of one: Pydantic takes their instances as they are, too, but asks
    a Python function about each. `None` for other models.
    """
    if get_origin(response_model) is list:
        [schema] = get_args(response_model)
        return partial(_are_instances, schema) if is_schema(schema) else None
    return partial(_is_instance, response_model) if is_schema(response_model) else None


def _are_instances(schema: Any, value: Any) -> bool:
    return _is_trusted(schema) and type(value) is list and set(map(type, value)) <= {schema}


def _is_instance(schema: Any, value: Any) -> bool:
    return _is_trusted(schema) and type(value) is schema


@cache
def _is_trusted(schema: Any) -> bool:
    """Return whether Pydantic checks only the class of an instance of `schema`."""
    core = _core_of(schema)
    if core["type"] == "definitions":
        core = core["schema"]
    if not _is_reader(core):
        return False
    model = core["schema"]
    revalidates = model.get("config", {}).get("revalidate_instances", "never") != "never"
    return model["type"] == "model" and not revalidates


@cache
def _list_of(schema: Any) -> TypeAdapter[list[Any]]:
    return TypeAdapter(list[schema])  # pyright: ignore[reportInvalidTypeForm]


@cache
def _of_rows(schema: Any) -> tuple[SchemaValidator, bool]:
    """Return what validates rows, and whether it runs code that is not this library's."""
    core = _without_readers(_core_of(schema))
    return SchemaValidator(core_schema.list_schema(core)), _runs_code(core)


def _core_of(schema: Any) -> Any:
    schema.model_rebuild()  # if it was not complete when it was defined
    return core_schema_of(schema)


def _without_readers(schema: Any) -> Any:
    if isinstance(schema, list | tuple):
        return type(schema)(map(_without_readers, schema))
    if not isinstance(schema, dict):
        return schema
    if not _is_reader(schema):
        return {
            key: value if key in _VALUES else _without_readers(value)
            for key, value in schema.items()
        }
    inner = _without_readers(schema["schema"])
    return {**inner, "ref": schema["ref"]} if "ref" in schema else inner


_VALUES = ("config", "default", "expected", "metadata")
"""Keys of core schemas with what is no core schema, and might look like one."""


def _is_reader(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "function-wrap" and is_shaped(schema)


def _runs_code(schema: Any) -> bool:
    """Return whether functions of others, or methods, are called while `schema` validates."""
    if isinstance(schema, list | tuple):
        return any(map(_runs_code, schema))
    if not isinstance(schema, dict):
        return callable(schema) and not isinstance(schema, type) and not _is_known(schema)
    if schema.get("custom_init") or schema.get("post_init"):
        return True
    own = (*_VALUES, "serialization", "computed_fields")
    return any(_runs_code(value) for key, value in schema.items() if key not in own)


def _is_known(function: Any) -> bool:
    return dotted_name(function).startswith(("django_mullet.", "pydantic."))
