"""`Create`, `Update` and `Patch`: a schema without the fields that a request does not send.

`Create[S]`, `Update[S]` and `Patch[S]` are `S` to a type checker, and take instances of `S` from
a request. What differs is the core schema by which Pydantic validates: it is that of `S`, with all
its validators, but for the fields that are not to be sent, and with the limits of the model.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Annotated, Any, cast

from django.apps import apps
from django.core.exceptions import ValidationError
from pydantic import BaseModel, GetCoreSchemaHandler, PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from django_mullet import conf
from django_mullet.fields.info import FieldFacts
from django_mullet.fields.range_limits import is_range, limited
from django_mullet.schemas.input_keys import without_names
from django_mullet.schemas.nesting import fields_of, schemas_in
from django_mullet.schemas.relations import refuse_swapped, refuse_unwritable
from django_mullet.schemas.strictness import is_strict, strict

__all__ = [
    "Access",
    "Sent",
    "Variant",
    "access_of",
    "component_name",
    "is_bare",
    "is_shaped",
    "optional",
    "reference",
    "reshape",
    "shaped_for",
    "variant_of",
    "without_unset",
]

_UNSET: Any = object()
"""Stands for the value of a field that was not sent, until it is left out of the instance."""

_WRAPPERS = {"default", "nullable", "function-after", "function-before", "function-wrap"}
"""Types of core schemas that say more about the one inside."""

_LIMITED = {
    "str": {"min_length", "max_length"},
    "int": {"ge", "le"},
    "float": {"ge", "le", "allow_inf_nan"},
    "decimal": {"ge", "le", "max_digits", "decimal_places"},
    "date": {"ge", "le"},
    "datetime": {"ge", "le"},
    "time": {"ge", "le"},
    "timedelta": {"ge", "le"},
    "list": {"min_length", "max_length"},
}
"""Types of core schemas, and the limits that each can have."""


class Access(Enum):
    """Metadata of a schema's field: who sends it, and when."""

    READ_ONLY = "read-only"
    WRITE_ONLY = "write-only"
    CREATE_ONLY = "create-only"
    WRITABLE = "writable"


def access_of(info: FieldInfo, facts: FieldFacts | None = None) -> Access | None:
    """Return who sends the field: as it is marked, else as its model says."""
    for item in info.metadata:
        if isinstance(item, Access):
            return item
    if facts is None:
        return None
    if facts.read_only:
        return Access.READ_ONLY
    return Access.CREATE_ONLY if facts.create_only else None


class Sent(set[str]):
    """The names of the fields that were sent, and for which variant."""

    variant: "Variant | None" = None


class Variant(Enum):
    """Metadata by which `Annotated[S, Variant.CREATE]` takes what creates an `S`."""

    CREATE = "Create"
    UPDATE = "Update"
    PATCH = "Patch"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if not hasattr(source, "django_model"):
            raise TypeError(f"{self.value}[...] takes a subclass of 'ModelSchema', not {source!r}.")
        if not apps.models_ready:
            # Pydantic waits, as for a class that is defined further down, and tries again when
            # the first request comes.
            raise PydanticUndefinedAnnotation(source.__name__, _TOO_EARLY.format(source.__name__))
        refuse_swapped(source)
        whole: Any = handler.resolve_ref_schema(handler(source))
        name = f"{component_name(source)}{self.value}"
        # Without the function around it, which reads instances of the model: a request holds none.
        schema = reshape(whole["schema"], partial(self._reshape_fields, source, handler))
        if is_strict(source.model_config):
            schema = strict(schema, handler)
        schema["metadata"] = {**whole["metadata"], **shaped_for(self, name)}
        schema["ref"] = reference(source, name)
        return cast("CoreSchema", schema)

    def omits(self, source: Any, name: str) -> bool:
        """Return whether the field `name` of the schema `source` is not to be sent."""
        is_late = self is not Variant.CREATE
        return source.is_read_only(name) or (is_late and source.is_create_only(name))

    def _reshape_fields(self, source: Any, handler: GetCoreSchemaHandler, schema: Any) -> Any:
        schema = without_names(schema, source)
        fields = {
            name: {**field, "schema": self._reshape_field(source, handler, name, field["schema"])}
            for name, field in schema["fields"].items()
        }
        return without_unset(self, {**schema, "fields": fields})

    def _reshape_field(
        self, source: Any, handler: GetCoreSchemaHandler, name: str, schema: Any
    ) -> Any:
        info, facts = fields_of(source)[name], source.field_facts(name)
        if self.omits(source, name):
            return optional(core_schema.no_info_before_validator_function(_ignored, _ANY))
        is_optional = self is Variant.PATCH or (info.is_required() and not facts.required)
        if schema.get("default_factory") is _unset:  # as the API does not show it
            schema = schema["schema"]
        if is_optional:
            schema = _without_default(schema)
        nested = schemas_in(info.annotation)
        refuse_unwritable(source, name, nested)
        if nested:
            schema = _with_bodies(schema, nested[0], handler)
        else:
            schema = _with_limits(schema, facts, handler)
        return optional(schema) if is_optional else schema


_TOO_EARLY = (
    "The models of '{0}' are not loaded yet: use it after 'django.setup()', or in a module that is "
    "imported after all models."
)
_KEY = "django_mullet"
_ANY = core_schema.any_schema()


def _ignored(value: Any) -> Any:
    if conf.current().refuse_read_only:
        raise PydanticCustomError("read_only", "This field is read-only")
    return _UNSET


def component_name(source: type[BaseModel]) -> str:
    """Return what the OpenAPI document calls `source`: its title, else its name less "Schema"."""
    return source.model_config.get("title") or source.__name__.removesuffix("Schema")


def reshape(schema: Any, reshape_fields: Callable[[Any], Any]) -> Any:
    """Return the core schema of a model with other fields; validators stay where they are."""
    if schema["type"] == "model-fields":
        return reshape_fields(schema)
    changed = {key: value for key, value in schema.items() if key != "ref"}
    return {**changed, "schema": reshape(schema["schema"], reshape_fields)}


def is_bare(schema: Any) -> bool:
    """Return whether no validator of the whole model sees what is validated."""
    if schema["type"] == "function-after":
        return is_bare(schema["schema"])
    return (schema["type"], schema["schema"]["type"]) == ("model", "model-fields")


def shaped_for(variant: Variant | None, name: str) -> dict[str, Any]:
    """Return the metadata of a core schema that `variant_of` looks for."""
    return {_KEY: (variant, name)}


def is_shaped(schema: Any) -> bool:
    """Return whether a core schema is what a `ModelSchema` makes of Pydantic's."""
    return _KEY in schema.get("metadata", {})


def variant_of(schema: Any) -> tuple[Variant | None, str]:
    """Return the variant that a core schema is for, and its name."""
    found: tuple[Variant | None, str] = schema["metadata"][_KEY]
    return found


def reference(source: Any, name: str) -> str:
    """Return what other core schemas call the one of `source` with that name."""
    return f"{source.__module__}.{name}:{id(source)}"


def optional(schema: Any) -> Any:
    """Return `schema` so that its field may be missing, and is then unset."""
    return core_schema.with_default_schema(schema, default_factory=_unset)


def _unset() -> Any:
    return _UNSET


def without_unset(variant: Variant | None, schema: Any) -> Any:
    """Return the core schema of a model's fields so that instances lack those that are unset."""
    return core_schema.no_info_after_validator_function(partial(_strip, variant), schema)


def _strip(variant: Variant | None, value: tuple[Any, Any, set[str]]) -> Any:
    values, extra, names = value
    if isinstance(names, Sent):  # of a variant, for which this has been done
        return value
    sent = Sent(name for name in names if values.get(name) is not _UNSET)
    sent.variant = variant
    return {name: v for name, v in values.items() if v is not _UNSET}, extra, sent


def _with_bodies(schema: Any, nested: Any, handler: GetCoreSchemaHandler) -> Any:
    """Return `schema` with what creates a `nested`, where it has a `nested`."""
    if isinstance(schema, list | tuple):
        return type(schema)(_with_bodies(item, nested, handler) for item in schema)
    if not isinstance(schema, dict):
        return schema
    if is_shaped(schema) or schema.get("schema_ref") == reference(nested, component_name(nested)):
        return handler.generate_schema(Annotated[nested, Variant.CREATE])
    return {
        key: value if key == "metadata" else _with_bodies(value, nested, handler)
        for key, value in schema.items()
    }


def _without_default(schema: Any) -> Any:
    if schema["type"] == "default":
        return _without_default(schema["schema"])
    if schema["type"] in _WRAPPERS:
        return {**schema, "schema": _without_default(schema["schema"])}
    return schema


def _with_limits(schema: Any, facts: FieldFacts, handler: GetCoreSchemaHandler) -> Any:
    """Return `schema` with what the model says, as close to the value as it can be."""
    if schema["type"] == "nullable" and not facts.null:
        return _with_limits(schema["schema"], facts, handler)
    if schema["type"] in _WRAPPERS:
        return {**schema, "schema": _with_limits(schema["schema"], facts, handler)}
    if facts.items is not None and "items_schema" in schema:
        items = _with_limits(schema["items_schema"], facts.items, handler)
        schema = {**schema, "items_schema": items}
    if facts.bounds is not None:
        schema = _with_bounds(schema, *facts.bounds, handler)
    said = _LIMITED.get(schema["type"], set())
    schema = {**{name: limit for name, limit in facts.limits if name in said}, **schema}
    if facts.choices and schema["type"] in ("str", "int"):
        said = {*said, *dict(facts.limits), "choices"}
        schema = core_schema.literal_schema(list(facts.choices))
        if not all(isinstance(choice, str) for choice in facts.choices):
            schema = core_schema.no_info_before_validator_function(_no_boolean, schema)
    if facts.clean is None and not facts.checks(said):
        return schema
    return core_schema.no_info_after_validator_function(partial(_checked, facts, said), schema)


def _with_bounds(schema: Any, name: str, facts: FieldFacts, handler: GetCoreSchemaHandler) -> Any:
    """Return the core schema of a range, called `name`, with the limits of its bounds, if any."""
    whole: Any = handler.resolve_ref_schema(schema)
    if not is_range(whole) or not {"ge", "le"} & dict(facts.limits).keys():
        return schema
    return limited(
        whole, name, lambda bound: _with_limits(bound, replace(facts, null=True), handler)
    )


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):  # which a literal takes for 0 or 1
        raise PydanticKnownError("int_type")
    return value


def _checked(facts: FieldFacts, said: set[str], value: Any) -> Any:
    try:
        return facts.checked(value, said)
    except ValidationError as error:
        message = " ".join(error.messages)
    except ValueError as error:
        message = str(error)
    raise PydanticCustomError("value_error", "{reason}", {"reason": message})
