"""Which schemas may show a model? Any choice of columns, relations and properties, in any order."""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, Optional, Union

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from pydantic import create_model

from django_mullet import ModelSchema
from tests.catalogue.models import Person, Publisher, Work

__all__ = ["Shown", "random_schema"]

PROPERTIES: dict[str, dict[str, Any]] = {"Work": {"label": str, "city": str}}
PROPERTIES["Illustrated"] = PROPERTIES["Work"]
SUBJECTS = [Work, Person, Publisher]
"""What a note may be about: of each of them there is one."""
TYPES: dict[Any, Any] = {
    models.CharField: str,
    models.SlugField: str,
    models.DecimalField: Decimal,
    models.BooleanField: bool,
}


@dataclass
class Shown:
    """A schema, and what plain code has to read of an instance for it."""

    schema: Any
    columns: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    """Relations that are shown by keys, and how: "one" or "many"."""
    nested: dict[str, tuple[bool, list["Shown"]]] = field(default_factory=dict)
    """Relations that are shown by schemas: whether there are many objects, and a schema for each
    model that they may be of.
    """

    def relations(self) -> int:
        """Return how many queries the relations take that are shown, or that properties read."""
        inner = [each for _, shown in self.nested.values() for each in shown]
        # A generic key leads to objects of as many models, and of a child of one of them.
        generic = [shown for _, shown in self.nested.values() if len(shown) > 1]
        children = sum(each.relations() for shown in generic for each in shown)
        read = sum(name in {"label", "city"} for name in self.columns)
        below = sum(each.relations() for each in inner) + children
        return len(self.keys) + len(self.nested) + len(generic) * len(SUBJECTS) + read + below

    def of(self, name: str, instance: Any) -> "Shown":
        """Return how an `instance` that the relation `name` leads to is shown."""
        return next(each for each in self.nested[name][1] if isinstance(instance, each.model))

    @property
    def model(self) -> Any:
        return self.schema.django_model()


class _Draft:
    def __init__(self, model: Any, random: Random, depth: int) -> None:
        self.model, self.random, self.depth = model, random, depth
        self.fields: dict[str, Any] = {}
        self.shown = Shown(None)

    def add_columns(self) -> None:
        for each in self.model._meta.concrete_fields:
            if isinstance(each, models.CompositePrimaryKey) or self.random.random() < 0.5:
                continue
            annotation = TYPES.get(type(each), int)
            if each.is_relation:
                annotation = TYPES.get(type(each.target_field), int)
            self.fields[each.attname] = (annotation | None if each.null else annotation, ...)
            self.shown.columns.append(each.attname)
        for name, annotation in PROPERTIES.get(self.model.__name__, {}).items():
            if self.random.random() < 0.2:
                self.fields[name] = (annotation, ...)
                self.shown.columns.append(name)

    def add_relations(self) -> None:
        for each in self.model._meta.get_fields():
            if not each.is_relation or each.related_model is ContentType:
                continue
            if self.random.random() < 0.75:
                continue
            if getattr(each, "parent_link", False) and each.auto_created and not each.concrete:
                continue  # from a parent to its child, which the child seems to have, too
            name = (
                each.get_accessor_name() if each.auto_created and not each.concrete else each.name
            )
            if name and not name.endswith("+"):
                self._add_relation(name, each)

    def _add_relation(self, name: str, each: Any) -> None:
        if isinstance(each, GenericForeignKey):
            self._add_generic(name)
            return
        is_many = bool(each.one_to_many or each.many_to_many)
        is_composite = isinstance(each.related_model._meta.pk, models.CompositePrimaryKey)
        may_be_none = not is_many  # the caller's queryset may leave any out
        if self.depth > 0 and self.random.random() < 0.6:
            inner = _draft(each.related_model, self.random, self.depth - 1)
            self.shown.nested[name] = (is_many, [inner])
            annotation = inner.schema
        elif is_composite:
            return
        else:
            self.shown.keys[name] = "many" if is_many else "one"
            # What a foreign key has is what it refers to, which need not be the primary key.
            is_column = isinstance(each, models.ForeignKey)
            key = each.target_field if is_column else each.related_model._meta.pk
            annotation = TYPES.get(type(key), int)
        if is_many:
            annotation = list[annotation]
        self.fields[name] = (annotation | None if may_be_none else annotation, ...)

    def _add_generic(self, name: str) -> None:
        if self.depth == 0:
            return
        models = self.random.sample(SUBJECTS, len(SUBJECTS))
        inner = [_draft(model, self.random, self.depth - 1) for model in models]
        self.shown.nested[name] = (False, inner)
        self.fields[name] = (Optional[Union[*(each.schema for each in inner)]], ...)  # noqa: UP045  # of a tuple


def _draft(
    model: Any, random: Random, depth: int, annotations: dict[str, Any] | None = None
) -> Shown:
    draft = _Draft(model, random, depth)
    draft.add_columns()
    draft.add_relations()
    for name, annotation in (annotations or {}).items():
        if random.random() < 0.6:
            draft.fields[name] = (annotation, ...)
            draft.shown.columns.append(name)
    if not draft.fields:
        column = model._meta.concrete_fields[-1].attname
        draft.fields[column] = (Any, ...)
        draft.shown.columns.append(column)
    order = list(draft.fields)
    random.shuffle(order)
    draft.shown.schema = create_model(
        f"{model.__name__}Schema",
        __base__=ModelSchema[model],
        __module__=__name__,
        **{name: draft.fields[name] for name in order},
    )
    return draft.shown


def random_schema(model: Any, random: Random, annotations: dict[str, Any]) -> Shown:
    """Return a schema of `model` that shows some of its `annotations` too."""
    return _draft(model, random, random.choice([0, 1, 1, 2, 3]), annotations)
