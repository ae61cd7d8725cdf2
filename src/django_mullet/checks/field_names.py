"""System checks of field names that hide attributes of schemas, or are hidden by them.

mullet.E004   a field of a model begins with an underscore, and Pydantic keeps it out of its schema
mullet.W009   a field of a schema hides a method of schemas, or is hidden by another attribute
"""

from collections.abc import Iterator
from inspect import get_annotations, getattr_static
from types import FunctionType
from typing import Any

from django.core import checks

from django_mullet.fields.info import find_field
from django_mullet.schemas.model_schema import ModelSchema

__all__ = ["messages_of_names"]

_ATTRIBUTES = {
    name: getattr_static(ModelSchema, name) for name in dir(ModelSchema) if name[:1] != "_"
}
"""What instances of schemas have by a name, Pydantic's `copy()` and `model_extra` for instance."""


def messages_of_names(schema: Any, model: Any) -> Iterator[checks.CheckMessage]:
    """Yield a message for each field of `schema`, of `model`, with a name that has no good end.

    What a base names is told of the base.
    """
    for name in get_annotations(schema):
        if name in schema.__private_attributes__ and (field := find_field(model, name)) is not None:
            public = name.strip("_")
            yield checks.Error(
                f"'{schema.__name__}.{name}' begins with an underscore: Pydantic makes it private, "
                "and no request or answer has it.",
                hint=f"Leave it out of the schema; or, in a model of your own, call the field of "
                f"'{model.__name__}' '{public}', with 'db_column=\"{field.column}\"' so that its "
                "table stays as it is.",
                obj=schema,
                id="mullet.E004",
            )
        elif name in schema.model_fields and name in _ATTRIBUTES:
            says, hint = _hiding(schema.__name__, name)
            yield checks.Warning(
                f"'{schema.__name__}.{name}' is a field, and {says}.",
                hint=f"{hint}.",
                obj=schema,
                id="mullet.W009",
            )


def _hiding(schema: str, name: str) -> tuple[str, str]:
    """Return what a field hides, or what hides it, and what to write."""
    found = _ATTRIBUTES[name]
    if hasattr(type(found), "__set__"):  # as of a property: it comes before what an instance holds
        read = f"Read 'vars(body)[\"{name}\"]', or call the field of the model otherwise"
        return f"'body.{name}' is another attribute, of Pydantic's", read
    body = "body, " if isinstance(found, FunctionType) else ""
    call = f"Write '{schema}.{name}({body}...)' where you would write 'body.{name}(...)'"
    return "hides the method of that name", call
