"""The schemas within a schema or annotation, and the check for endless nesting."""

from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, GetCoreSchemaHandler, PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo

from django_mullet._compat.pydantic import knows_its_fields

__all__ = [
    "fields_of",
    "hints_of",
    "is_record",
    "is_schema",
    "learn_names",
    "parts_of",
    "refuse_cycle",
    "schemas_in",
    "schemas_within",
]


def is_schema(annotation: Any) -> bool:
    """Return whether `annotation` is a subclass of `ModelSchema`."""
    return isinstance(annotation, type) and hasattr(annotation, "django_model")


def schemas_in(annotation: Any) -> list[Any]:
    """Return the subclasses of `ModelSchema` that `annotation` names, at whatever depth."""
    if is_schema(annotation):
        return [annotation]
    return [found for argument in get_args(annotation) for found in schemas_in(argument)]


def schemas_within(annotation: Any) -> Iterator[Any]:
    """Yield the schemas in `annotation`, and in what the other classes in it hold."""
    yield from _schemas_within(annotation, ())


def _schemas_within(annotation: Any, within: tuple[Any, ...]) -> Iterator[Any]:
    if is_schema(annotation):
        yield annotation
    elif annotation not in within:
        for part in parts_of(annotation):
            yield from _schemas_within(part, (*within, annotation))


def parts_of(annotation: Any) -> Iterable[Any]:
    """Return the annotations of which `annotation` is made: its arguments, and its fields'."""
    if arguments := get_args(annotation):
        return arguments
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [info.annotation for info in fields_of(annotation).values()]
    return hints_of(annotation).values() if is_record(annotation) else ()


def is_record(annotation: Any) -> bool:
    """Return whether `annotation` is a dataclass, a named tuple or a typed dictionary."""
    if not isinstance(annotation, type):
        return False
    mark = "_fields" if issubclass(annotation, tuple) else "__total__"
    return is_dataclass(annotation) or hasattr(annotation, mark)


def hints_of(record: Any) -> dict[str, Any]:
    """Return the annotations of a class, or none where a name in them is not known."""
    try:
        return get_type_hints(record, include_extras=True)
    except Exception:  # which may be raised by whatever stands in an annotation
        return {}


def fields_of(schema: Any) -> dict[str, FieldInfo]:
    """Return the fields of `schema`, a Pydantic model, with every name in their annotations known.

    Pydantic lets a class wait that names one which is defined further down. Where it is used it is
    made whole; where something that holds it is used, its fields stay as they were.
    """
    try:
        learn_names(schema)
    except PydanticUndefinedAnnotation as error:
        name, module = schema.__name__, schema.__module__
        raise ImproperlyConfigured(
            f"'{module}.{name}' names '{error.name}', which is not known there. Import it in "
            f"'{module}', below the class if need be, and not for type checkers alone; or write "
            f"'{name}.model_rebuild()' where both are known."
        ) from error
    fields: dict[str, FieldInfo] = schema.model_fields
    return fields


def learn_names(schema: Any) -> None:
    """Have the fields of `schema` know what they name, or raise `PydanticUndefinedAnnotation`."""
    if not knows_its_fields(schema):
        schema.model_rebuild()


def refuse_cycle(schema: Any, handler: GetCoreSchemaHandler) -> None:
    """Raise `ImproperlyConfigured` if what a model's core schema describes contains itself.

    Forward references are no matter: Pydantic makes the core schemas of a cycle when it has the
    last of its classes.
    """
    path = _Search(schema.get("ref"), handler).path(schema)
    if path is None:
        return
    name = path[0]
    shown = "".join(f": {part}" if is_class else f" → {part}" for is_class, part in _parts(path))
    raise ImproperlyConfigured(
        f"'{name}' contains itself, so that what it shows may have no end: {name}{shown}. In one "
        "of these places write the keys, 'list[int]' for instance, or a schema without the next."
    )


def _parts(path: list[str]) -> Iterator[tuple[bool, str]]:
    """Yield what follows the first class: fields, and the class that each leads to."""
    for index, part in enumerate([*path[1:], path[0]]):
        yield index % 2 == 1, part


class _Search:
    """Looks in core schemas for the way to a reference: class, field, class, field, and so on."""

    def __init__(self, reference: str | None, handler: GetCoreSchemaHandler) -> None:
        self._reference = reference
        self._handler = handler
        self._visited: set[str] = set()

    def path(self, schema: Any) -> list[str] | None:
        """Return the names on the way from `schema` to the reference, if there is one."""
        if not isinstance(schema, dict):
            return self._first(schema) if isinstance(schema, list | tuple) else None
        match schema.get("type"):
            case "definition-ref":
                return self._behind(schema)
            case "model":
                return _after(schema["cls"].__name__, self.path(schema["schema"]))
            case "model-fields":
                ways = ((name, self.path(field)) for name, field in schema["fields"].items())
                return next((_after(name, way) for name, way in ways if way is not None), None)
        return self._first(value for key, value in schema.items() if key != "metadata")

    def _first(self, schemas: Any) -> list[str] | None:
        return next((way for way in map(self.path, schemas) if way is not None), None)

    def _behind(self, schema: Any) -> list[str] | None:
        name = schema["schema_ref"]
        if name == self._reference:
            return []
        if name in self._visited:
            return None
        self._visited.add(name)
        try:
            return self.path(self._handler.resolve_ref_schema(schema))
        except LookupError:  # of a model around this one: it looks itself
            return None


def _after(name: str, way: list[str] | None) -> list[str] | None:
    return None if way is None else [name, *way]
