"""`ModelSchema`: one typed class per model, for what the API shows of it and takes.

`S`, a `ModelSchema`, is what the API shows; `Create[S]`, `Update[S]` and `Patch[S]` are what it
takes. Its fields are written, and seen by every type checker; what the model knows of them is not
written again.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ForwardRef,
    Generic,
    Self,
    TypeAlias,
    TypeVar,
    cast,
)

from asgiref.sync import sync_to_async
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, ValidationError
from django.db import IntegrityError, models
from django.http import Http404
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PydanticUndefinedAnnotation,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from django_mullet.fields.info import FieldFacts, facts_of
from django_mullet.fields.round_trip import as_loaded, decimal_places_of
from django_mullet.queries.querysets import found_in, queryset_of
from django_mullet.schemas import json_schema as field_json_schema
from django_mullet.schemas.annotations import annotations_below
from django_mullet.schemas.encoding import with_encodings
from django_mullet.schemas.input_keys import with_names
from django_mullet.schemas.loading import load_instances, load_rows
from django_mullet.schemas.model_binding import is_open, model_of
from django_mullet.schemas.nesting import fields_of, learn_names, refuse_cycle, schemas_in
from django_mullet.schemas.prefetching import load_relations
from django_mullet.schemas.query_plan import plan_of, reads
from django_mullet.schemas.reading import instance_reader
from django_mullet.schemas.saving import save, write
from django_mullet.schemas.server_values import made
from django_mullet.schemas.strictness import described_as, is_strict, lax
from django_mullet.schemas.validation import of_instance, of_instances, of_row, of_rows
from django_mullet.schemas.variants import (
    Access,
    Variant,
    access_of,
    component_name,
    is_bare,
    is_shaped,
    optional,
    reference,
    reshape,
    shaped_for,
    variant_of,
    without_unset,
)

with suppress(ImportError):  # without psycopg, no model has such fields
    import django_mullet.fields.postgres  # noqa: F401

__all__ = [
    "Collection",
    "Create",
    "CreateOnly",
    "FromAPI",
    "ModelSchema",
    "NotSent",
    "Patch",
    "ReadOnly",
    "Update",
    "Writable",
    "WriteOnly",
    "reads",
]

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=models.Model)
SchemaT = TypeVar("SchemaT", bound="ModelSchema[Any]")

Source: TypeAlias = models.QuerySet[ModelT] | models.Manager[ModelT] | type[ModelT]
"""What stands for the objects of a model, as for Django's `get_object_or_404()`."""

ReadOnly = Annotated[T, Access.READ_ONLY]
"""A field that the API shows, and no request sets."""

WriteOnly = Annotated[
    T, Access.WRITE_ONLY, Field(json_schema_extra={"writeOnly": True}, exclude=True)
]
"""A field that requests set, and the API never shows."""

CreateOnly = Annotated[T, Access.CREATE_ONLY]
"""A field that a request sets when it creates the object, and never afterwards."""

Writable = Annotated[T, Access.WRITABLE]
"""A field of nested schemas that requests set too: what they send is created with the object."""

Create = Annotated[SchemaT, Variant.CREATE]
"""The body of a request that creates an object: `S` without its read-only fields.

What the model has a default for, or lets be null or blank, may be left out.
"""

Update = Annotated[SchemaT, Variant.UPDATE]
"""The body of a request that replaces an object: as `Create`, without create-only fields."""

Patch = Annotated[SchemaT, Variant.PATCH]
"""The body of a request that changes an object: as `Update`, with every field optional."""


class NotSent(AttributeError):
    """A field was read that the request has not set."""


class ModelSchema(BaseModel, Generic[ModelT]):
    """A Pydantic model of a Django model: `class BookSchema(ModelSchema[Book])`.

    Each field is the model's attribute of that name: a column, a relation, a property, an
    annotation of the queryset. In an instance that came from a request, the fields that were not
    sent are unset: reading one raises `NotSent`; `model_fields_set` holds the others' names.
    """

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def django_model(cls) -> type[ModelT]:
        """Return the model that this is a schema of."""
        return model_of(cls, ModelSchema)  # type: ignore[no-any-return]

    @classmethod
    def from_model(cls, instance: ModelT) -> Self:
        """Return what the API shows of `instance`."""
        if (plan := plan_of(cls)).grows or annotations_below(plan):
            load_relations(plan, [instance])
        is_of_model = isinstance(instance, plan.model)
        shown: Self = of_instance(cls, as_loaded(cls, instance) if is_of_model else instance)
        return shown

    @classmethod
    def from_qs(cls, queryset: Source[ModelT] | Iterable[ModelT]) -> list[Self]:
        """Return what the API shows of each object of `queryset`, or of a model or a manager.

        In a number of queries that does not depend on the number of objects. Raises `LazyLoad`
        where reading the objects would query again for each of them.
        """
        objects, plan = queryset_of(queryset), plan_of(cls)
        rows = load_rows(plan, objects)
        if rows is None:
            return of_instances(cls, load_instances(plan, objects))
        return of_rows(cls, rows)

    @classmethod
    async def afrom_qs(cls, queryset: Source[ModelT] | Iterable[ModelT]) -> list[Self]:
        """Return what `from_qs()` returns, in `async def` code."""
        return await sync_to_async(cls.from_qs)(queryset)

    @classmethod
    def get_or_404(cls, queryset: Source[ModelT], *conditions: models.Q, **lookup: Any) -> Self:
        """Return what the API shows of the object of `queryset` that `lookup` finds.

        As `get_object_or_404()`, by the query that the schema needs; what else the object reads it
        loads. Raises `Http404` if there is none, and the model's `MultipleObjectsReturned` if there
        are several.
        """
        few, plan = found_in(queryset, *conditions, **lookup), plan_of(cls)
        rows = load_rows(plan, few)
        found = load_instances(plan, few) if rows is None else rows
        if not found:
            raise Http404(f"No {few.model.__name__} matches the given query.")
        if len(found) > 1:
            message = f"Several {few.model.__name__} match the given query."
            raise few.model.MultipleObjectsReturned(message)
        shown: Self = of_instance(cls, found[0]) if rows is None else of_row(cls, rows[0])
        return shown

    @classmethod
    async def aget_or_404(
        cls, queryset: Source[ModelT], *conditions: models.Q, **lookup: Any
    ) -> Self:
        """Return what `get_or_404()` returns, in `async def` code."""
        return await sync_to_async(cls.get_or_404)(queryset, *conditions, **lookup)

    def to_model(self, **values: Any) -> ModelT:
        """Return an unsaved object with what was sent, and `values`, which count before that.

        Raises `TypeError` where the request may choose the key: `save()` would replace a row.
        """
        schema = type(self)  # of which a field may be called as the method is
        return schema.update(self, made(schema, values), **values)

    def update(self, instance: ModelT, **values: Any) -> ModelT:
        """Set what was sent, and `values`, which count before that, on `instance`; return it.

        Without saving it. Raises `TypeError` as `to_model()` if `instance` is not saved yet.
        """
        write(self, instance, values)
        return instance

    def create(self, *, full_clean: bool = False, **values: Any) -> ModelT:
        """Return a new object with what was sent, and `values`, saved with its relations.

        What `values` say counts, whatever was sent. In one transaction. Raises Django's
        `ValidationError` where a key leads to no object, and with `full_clean` what the model's
        `full_clean()` raises.
        """
        schema = type(self)
        return schema.save(self, made(schema, values), full_clean=full_clean, **values)

    def save(self, instance: ModelT, *, full_clean: bool = False, **values: Any) -> ModelT:
        """Set what was sent, and `values`, on `instance`, and save it with its relations.

        Return it. As `create()` otherwise.
        """
        try:
            save(self, instance, values, full_clean=full_clean)
        except (IntegrityError, ValidationError) as error:
            # For `body_locations`, from the inside out.
            error.bodies = (*getattr(error, "bodies", ()), self)  # type: ignore[union-attr]
            raise
        return instance

    # What its model says of a field

    @classmethod
    def field_facts(cls, name: str) -> FieldFacts:
        """Return what the model says about the values of the field `name`."""
        return facts_of(cls.django_model(), name)

    @classmethod
    def is_read_only(cls, name: str) -> bool:
        """Return whether no request sets the field `name`."""
        access = access_of(fields_of(cls)[name], cls.field_facts(name))
        return access is Access.READ_ONLY or (cls.is_nested(name) and access is not Access.WRITABLE)

    @classmethod
    def is_create_only(cls, name: str) -> bool:
        """Return whether the field `name` is never set after the object is created.

        A key is not, whatever it is marked as: with another one `save()` would write another row.
        """
        facts = cls.field_facts(name)
        access = access_of(fields_of(cls)[name], facts)
        if access is Access.READ_ONLY or cls.is_nested(name):
            return access is Access.CREATE_ONLY
        return facts.create_only or access is Access.CREATE_ONLY

    @classmethod
    def is_write_only(cls, name: str) -> bool:
        """Return whether the API never shows the field `name`."""
        return access_of(fields_of(cls)[name]) is Access.WRITE_ONLY

    @classmethod
    def is_nested(cls, name: str) -> bool:
        """Return whether the values of the field `name` are schemas themselves."""
        return bool(cls.schemas_of(name))

    @classmethod
    def schemas_of(cls, name: str) -> "list[type[ModelSchema[Any]]]":
        """Return the schemas that the annotation of the field `name` names."""
        return schemas_in(fields_of(cls)[name].annotation)

    # Pydantic's hooks

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise NotSent(_why_not_sent(self, name))
            return super().__getattr__(name)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if not cls.model_fields or is_open(cls):  # one of the bases
            return handler(source)
        with suppress(PydanticUndefinedAnnotation):  # which Pydantic may know from its caller
            learn_names(cls)
        name = component_name(cls)
        schema: Any = handler.resolve_ref_schema(handler(source))
        if is_shaped(schema):  # what is made below, kept by Pydantic
            return schema  # type: ignore[no-any-return]
        refuse_cycle(schema, handler)
        shown = reshape(schema, partial(_shown, cls))
        # Of all the functions around a model, Pydantic runs just this kind and those after it
        # only where they stand: not again when a variant is validated (pydantic-core#1660).
        return core_schema.no_info_wrap_validator_function(
            instance_reader(cls, shares_row=is_bare(schema)),
            lax(shown) if is_strict(cls.model_config) else shown,
            ref=reference(cls, name),
            metadata=shaped_for(None, name),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        variant, title = variant_of(schema)
        json_schema = handler(described_as(schema))
        resolved = handler.resolve_ref_schema(json_schema)
        resolved["title"] = title
        properties = resolved["properties"]
        for name in cls.model_fields:
            key = field_json_schema.key_of(cls, name, properties, handler.mode)
            if key is None:  # it is not shown
                continue
            said, facts = properties[key], cls.field_facts(name)
            if variant is None:
                properties[key] = field_json_schema.shown(said, facts)
            elif variant.omits(cls, name):
                del properties[key]
            else:
                properties[key] = field_json_schema.taken(said, facts, name)
        return json_schema


class FromAPI:
    """Mixed into a model: makes and updates its objects from the bodies of requests."""

    @classmethod
    def from_api(cls, body: "ModelSchema[Any]", **values: Any) -> Self:
        """Return an unsaved object with what was sent, and `values`; as `to_model()`."""
        return cast("Self", type(body).to_model(body, **values))

    def update_from_api(self, body: "ModelSchema[Any]", **values: Any) -> None:
        """Set what was sent, and `values`, without saving it; as `update()`."""
        type(body).update(body, self, **values)


class Collection(BaseModel, Generic[SchemaT]):
    """Objects below one key: `class Books(Collection[BookSchema])` is `{"items": [...]}`."""

    items: list[SchemaT]

    @classmethod
    def from_qs(cls, queryset: Source[Any] | Iterable[models.Model]) -> Self:
        """Return what the API shows of the objects of `queryset`; as `ModelSchema.from_qs()`."""
        [schema] = schemas_in(fields_of(cls)["items"].annotation)
        return cls(items=cast("list[SchemaT]", schema.from_qs(queryset)))


def _shown(shown: type[ModelSchema[Any]], schema: Any) -> Any:
    schema = with_encodings(schema, shown.model_config, partial(_places, shown))
    schema = with_names(schema, shown)
    hidden = [name for name, field in schema["fields"].items() if _is_hidden(shown, name, field)]
    if not hidden:
        return schema
    fields = dict(schema["fields"])
    for name in hidden:
        fields[name] = {**fields[name], "schema": optional(fields[name]["schema"])}
    return without_unset(None, {**schema, "fields": fields})


def _is_hidden(shown: type[ModelSchema[Any]], name: str, field: Any) -> bool:
    info: Any = shown.model_fields[name]
    if isinstance(info.annotation, ForwardRef):  # known to whom this is made for
        return bool(field.get("serialization_exclude"))
    return access_of(info) is Access.WRITE_ONLY


def _places(shown: type[ModelSchema[Any]], name: str) -> int | None:
    with suppress(FieldDoesNotExist, ImproperlyConfigured):
        # A column is known before all models are.
        return decimal_places_of(shown.django_model()._meta.get_field(name))
    return None


def _why_not_sent(schema: ModelSchema[Any], name: str) -> str:
    variant = getattr(schema.model_fields_set, "variant", None)
    what = f"'{type(schema).__name__}.{name}'"
    if variant is None:
        return f"{what} is write-only: no value of it is read."
    if variant.omits(type(schema), name):
        return f"{what} is not part of {variant.value}[{type(schema).__name__}]."
    return (
        f"{what} was not sent with this {variant.value}[{type(schema).__name__}]: look whether "
        f"'{name}' is in 'model_fields_set' before you read it."
    )
