"""Names of Pydantic beyond public API: what it knows of a model, and the core schemas it makes."""

from functools import partial
from typing import Any

from django_mullet._compat.names import Name, require

__all__ = [
    "RELIED_ON",
    "core_schema_of",
    "decorators_of",
    "generic_metadata_of",
    "is_complete",
    "knows_its_fields",
]


def _has_keys(keys: set[str], found: Any) -> bool:
    return keys <= set(found.__annotations__)


def _listed(keys: set[str]) -> str:
    return ", ".join(f"`{key}`" for key in sorted(keys))


_CORE_SCHEMAS = {
    "AfterValidatorFunctionSchema": {"schema"},
    "BeforeValidatorFunctionSchema": {"metadata", "ref", "schema"},
    "DefinitionReferenceSchema": {"schema_ref"},
    "DefinitionsSchema": {"schema"},
    "DictSchema": {"values_schema"},
    "IntSchema": {"ge", "le"},
    "JsonSchema": {"schema"},
    "ListSchema": {"items_schema"},
    "ModelField": {"schema", "serialization_exclude", "validation_alias"},
    "ModelFieldsSchema": {"fields"},
    "ModelSchema": {"cls", "config", "custom_init", "metadata", "post_init", "ref", "schema"},
    "NullableSchema": {"schema"},
    "StringSchema": {"max_length", "min_length"},
    "WithDefaultSchema": {"default_factory", "schema"},
    "WrapValidatorFunctionSchema": {"metadata", "ref", "schema"},
}

RELIED_ON = (
    *(
        Name(
            f"pydantic.BaseModel.{attribute}",
            "A model may name what is defined further down: what it holds is known later.",
            "a public reader",
        )
        for attribute in ("__pydantic_complete__", "__pydantic_fields_complete__")
    ),
    Name(
        "pydantic.BaseModel.__pydantic_core_schema__",
        "Rows are validated by it, less the functions that read instances.",
        "`TypeAdapter.core_schema`, of which the type is public and the content is not",
    ),
    Name(
        "pydantic.BaseModel.__pydantic_decorators__",
        "A check asks whether a validator may change a value before its type sees it.",
        "a public reader",
    ),
    Name(
        "pydantic.BaseModel.__pydantic_generic_metadata__",
        "It says of which model a schema is: `ModelSchema[Book]`.",
        "a public reader",
        used_in="pydantic._internal._model_construction.ModelMetaclass.__new__",
    ),
    *(
        Name(
            f"pydantic_core.core_schema.{schema}",
            f"Schemas read and rewrite its {_listed(keys)}.",
            "a hook for the fields of a model, before its schema is made",
            is_as_known=partial(_has_keys, keys),
        )
        for schema, keys in _CORE_SCHEMAS.items()
    ),
)

require(RELIED_ON)


def knows_its_fields(model: Any) -> bool:
    """Return whether Pydantic knows every name in the annotations of `model`, one of its own."""
    return bool(model.__pydantic_fields_complete__)


def is_complete(model: Any) -> bool:
    """Return whether Pydantic has made what validates `model`."""
    return bool(model.__pydantic_complete__)


def core_schema_of(model: Any) -> Any:
    """Return the core schema by which `model`, which is complete, is validated."""
    return model.__pydantic_core_schema__


def decorators_of(model: Any) -> Any:
    """Return the validators of `model`."""
    return model.__pydantic_decorators__


def generic_metadata_of(annotation: Any) -> Any:
    """Return what a generic model was made of: `origin`, `args` and `parameters`; or nothing."""
    return getattr(annotation, "__pydantic_generic_metadata__", {})
