"""Which schemas may write a model, and which bodies are sent for them?"""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from pydantic import create_model

from django_mullet import ModelSchema, Writable
from tests.catalogue.models import (
    Agent,
    Chapter,
    Edition,
    Illustrated,
    Jacket,
    Keyword,
    Person,
    Publisher,
    Spot,
    Work,
)
from tests.differential.schemas import TYPES, Shown

__all__ = ["Written", "random_body", "random_written"]

WRITABLE = [Work, Work, Illustrated, Person, Chapter, Publisher, Jacket, Spot, Keyword]
NESTED = {Agent, Chapter, Edition, Jacket, Keyword, Person, Publisher, Spot, Work}


@dataclass
class Written:
    """A schema that writes, and what plain code has to write for it."""

    model: Any
    shown: Shown
    columns: list[str] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    """Foreign keys and many-to-many relations that are written by keys, each with its field."""
    nested: dict[str, tuple[Any, "Written"]] = field(default_factory=dict)
    """Relations that are written by bodies, each with its field."""
    required: set[str] = field(default_factory=set)
    order: list[str] = field(default_factory=list)


class _Draft:
    def __init__(self, model: Any, random: Random, depth: int, link: Any = None) -> None:
        self.model, self.random, self.depth, self.link = model, random, depth, link
        self.written = Written(model, Shown(None))
        self.fields: dict[str, Any] = {}

    def add_columns(self) -> None:
        for each in self.model._meta.concrete_fields:
            if each == self.link or isinstance(each, models.CompositePrimaryKey):
                continue
            if isinstance(each, models.AutoField):
                self._add_key(each)
            elif not each.is_relation:
                is_needed = each.primary_key or not (each.null or each.has_default() or each.blank)
                if is_needed or self.random.random() < 0.6:
                    annotation = TYPES.get(type(each), int)
                    self._add(each.attname, annotation | None if each.null else annotation)
                    self.written.columns.append(each.attname)
                    self.written.shown.columns.append(each.attname)
                    if is_needed:
                        self.written.required.add(each.attname)
            elif not each.remote_field.parent_link:
                self._add_foreign_key(each)

    def _add_key(self, each: Any) -> None:
        """Have nested bodies say which object they mean, and show the key of others."""
        is_nested = self.link is not None or self.depth < 2
        if each.model is not self.model or self.random.random() < 0.5:
            return
        self._add(each.attname, Writable[int] if is_nested else int)
        self.written.shown.columns.append(each.attname)
        if is_nested:
            self.written.columns.append(each.attname)

    def _add_foreign_key(self, each: Any) -> None:
        is_needed = not each.null
        if not is_needed and self.random.random() < 0.4:
            return
        is_key = isinstance(each, models.ForeignKey)
        if self.depth > 0 and each.related_model in NESTED and self.random.random() < 0.4:
            inner = _draft(each.related_model, self.random, self.depth - 1)
            schema = inner.shown.schema
            self._add(each.name, Writable[schema | None if each.null else schema])
            self.written.nested[each.name] = (each, inner)
            self.written.shown.nested[each.name] = (False, [inner.shown])
            name = each.name
        elif is_key:
            name = self.random.choice([each.name, each.attname])
            annotation = TYPES.get(type(each.target_field), int)
            self._add(name, annotation | None if each.null else annotation)
            self.written.keys[name] = each
            if name == each.name:
                self.written.shown.keys[name] = "one"
            else:
                self.written.shown.columns.append(name)
        else:
            return
        if is_needed:
            self.written.required.add(name)

    def add_relations(self) -> None:
        for each in self.model._meta.get_fields():
            is_reverse = each.auto_created and not each.concrete
            if not each.is_relation or isinstance(each, GenericRelation):
                continue
            if each.many_to_many and self.random.random() < 0.4:
                self._add_many(each.get_accessor_name() if is_reverse else each.name, each)
            elif is_reverse and self.depth > 0 and self.random.random() < 0.4:
                self._add_owned(each.get_accessor_name(), each)

    def _add_many(self, name: str, each: Any) -> None:
        if isinstance(each, models.ManyToManyField) and not each.blank:
            self.written.required.add(name)
        if self.depth > 0 and self.random.random() < 0.4:
            inner = _draft(each.related_model, self.random, self.depth - 1)
            self._add(name, Writable[list[inner.shown.schema]])  # type: ignore[name-defined]
            self.written.nested[name] = (each, inner)
            self.written.shown.nested[name] = (True, [inner.shown])
            return
        annotation = TYPES.get(type(each.related_model._meta.pk), int)
        self._add(name, list[annotation])  # type: ignore[valid-type]
        self.written.keys[name] = each
        self.written.shown.keys[name] = "many"

    def _add_owned(self, name: str, each: Any) -> None:
        is_plain = isinstance(each.field, models.ForeignKey) and each.related_model in NESTED
        if not is_plain or each.field.remote_field.parent_link:
            return
        inner = _draft(each.related_model, self.random, self.depth - 1, each.field)
        schema = inner.shown.schema
        self._add(name, Writable[schema | None if each.one_to_one else list[schema]])  # type: ignore[valid-type]
        self.written.nested[name] = (each, inner)
        self.written.shown.nested[name] = (not each.one_to_one, [inner.shown])

    def _add(self, name: str, annotation: Any) -> None:
        self.fields[name] = (annotation, ...)


def _draft(model: Any, random: Random, depth: int, link: Any = None) -> Written:
    draft = _Draft(model, random, depth, link)
    draft.add_columns()
    draft.add_relations()
    order = list(draft.fields)
    random.shuffle(order)
    draft.written.order = order
    draft.written.shown.schema = create_model(
        f"{model.__name__}Written",
        __base__=ModelSchema[model],
        __module__=__name__,
        **{name: draft.fields[name] for name in order},
    )
    return draft.written


def random_written(random: Random) -> Written:
    """Return a schema that writes a model of the catalogue."""
    return _draft(random.choice(WRITABLE), random, random.choice([0, 1, 1, 2]))


def random_body(written: Written, random: Random, *, is_whole: bool, is_top: bool = True) -> Any:
    """Return a body for `written`: all that is required is in it, if it `is_whole`."""
    body: dict[str, Any] = {}
    for name in written.order:
        if name not in _sent(written):
            continue
        is_key = name == "id" and is_top
        if (name in written.required and is_whole) or (not is_key and random.random() < 0.7):
            body[name] = _value(written, name, random)
    return body


def _sent(written: Written) -> set[str]:
    return {*written.columns, *written.keys, *written.nested}


def _value(written: Written, name: str, random: Random) -> Any:
    if name in written.keys:
        each = written.keys[name]
        if each.many_to_many:
            return sorted(
                {
                    random.choice(_keys(each.related_model._meta.pk))
                    for _ in range(random.randrange(4))
                }
            )
        return random.choice([*_keys(each.target_field), *([None] if each.null else [])])
    if name in written.nested:
        each, inner = written.nested[name]
        if each.many_to_many or each.one_to_many:
            return [_nested(inner, random) for _ in range(random.randrange(3))]
        may_be_none = each.null if each.concrete else True
        return None if may_be_none and random.random() < 0.2 else _nested(inner, random)
    each = written.model._meta.get_field(name)
    return None if each.null and random.random() < 0.3 else random.choice(_values(each, random))


def _nested(inner: Written, random: Random) -> Any:
    return random_body(inner, random, is_whole=True, is_top=False)


def _keys(each: Any) -> list[Any]:
    """Return keys, of which there are most."""
    if each.attname == "code":
        return [*["aa", "bb", "cc"] * 6, "dd"]
    if each.attname == "word":
        return ["ant", "bee", "cat", "dog"]
    return [*range(1, 8)] * 4 + [999]


def _values(each: Any, random: Random) -> list[Any]:
    if each.attname in {"code", "word"}:
        return [_keys(each)[0], *(f"k{random.randrange(1000)}" for _ in range(4))]
    if isinstance(each, models.AutoField):
        return [*range(1, 12)]
    if isinstance(each, models.BooleanField):
        return [True, False]
    if isinstance(each, models.DecimalField):
        return [Decimal("1.50"), Decimal("2.5"), Decimal("7"), Decimal("0")]
    if isinstance(each, models.IntegerField):
        return [0, 1, 2, 4, 100, -5]
    return ["", "s1", "red", "Ä ö"] if each.blank else ["s1", "red", "Ä ö", "x" * 5]
