"""The query plan of a schema: its columns, joins and further queries.

A `QueryPlan` is made once per schema. Where everything that the schema shows is a column or a
relation, its rows serve, and no instance of the model is made. Where something is not, a property
for instance, instances are needed, and the plan knows which relations to load along with them.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db import models
from django.db.models.constants import LOOKUP_SEP

from django_mullet.fields.foreign_code import (
    comes_by_join,
    has_usual_descriptor,
    is_usual_column,
    reads_own_column,
)
from django_mullet.fields.info import find_field, is_generic
from django_mullet.fields.registry import key_reader_of, reader_of
from django_mullet.schemas.input_keys import input_key
from django_mullet.schemas.join_columns import (
    columns_of,
    has_composite_key,
    key_of,
    never_null,
    returns_by,
    way_back,
)
from django_mullet.schemas.nesting import fields_of

__all__ = ["QueryPlan", "ToMany", "ToOne", "plan_of", "reads"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ToOne:
    """A related object that is shown within its object."""

    key: str
    name: str
    """What queries call the relation."""
    accessor: str
    """What instances call it."""
    known_by: str
    """A column that is null where there is no related object."""
    plan: "QueryPlan"
    is_joined: bool
    """It comes by a join; else by a query for all of them, as its manager makes it."""


@dataclass(frozen=True, slots=True, eq=False)
class ToMany:
    """Related objects that are shown within their object, and come by a query for all of them."""

    key: str
    accessor: str
    owner: str
    """The column of the owner by which they are found."""
    back: str
    """What queries for them call the owner, or the column that has its `owner` value."""
    model: type[models.Model]
    plan: "QueryPlan | None"
    """How they are shown; `None` if by their keys."""


@dataclass(frozen=True, slots=True, eq=False)
class ByInstances:
    """Related objects of which instances alone know, and how they are shown: by generic relations,
    or by what somebody else has made.
    """

    accessor: str
    plans: "tuple[QueryPlan, ...]"
    """One for each model that the objects may be of."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryPlan:
    """What a schema needs of its model."""

    schema: Any
    model: type[models.Model]
    columns: tuple[tuple[str, str], ...]
    """What the schema calls each column in its input, and what queries call it."""
    annotations: frozenset[str]
    """Those that the queryset must have."""
    to_one: tuple[ToOne, ...]
    to_many: tuple[ToMany, ...]
    needs: tuple[str, ...]
    """What only an instance has."""
    by_instances: tuple[ByInstances, ...]
    prefetched: tuple[str, ...]
    """Other relations of the instances, to be loaded for all of them at once."""
    read: frozenset[str] | None
    """Which columns what is in `needs` reads, and of which relations; `None` if it may be any."""
    grows: bool
    """A single object shows others of which each has relations."""

    def fits_in_rows(self) -> bool:
        """Return whether no instance of a model is needed, at any depth."""
        is_joined = all(relation.is_joined for relation in self.to_one)
        return not self.needs and is_joined and all(plan.fits_in_rows() for plan in self.nested())

    def shown_models(self) -> Iterator[type[models.Model]]:
        """Yield the models that are shown by their columns, at any depth."""
        yield self.model
        for plan in self.nested():
            yield from plan.shown_models()

    def batched_models(self) -> Iterator[type[models.Model]]:
        """Yield the models whose objects are found by queries of their own, at any depth."""
        yield from (relation.model for relation in self.to_many)
        for plan in self.nested():
            yield from plan.batched_models()

    def described(self) -> Iterator[str]:
        """Yield what the queries of this plan load, a line for each."""
        names = self._described_columns()
        for relation in self.to_one:
            [first, *_] = relation.plan.described()
            if relation.is_joined:
                names.append(f"{relation.accessor}({first})")
            elif LOOKUP_SEP not in relation.known_by:
                names.append(relation.known_by)
        yield ", ".join(names) or "pk"
        for relation in self.to_one:
            [first, *others] = relation.plan.described()
            if not relation.is_joined:
                yield f"{relation.accessor}: {first}"
            yield from (f"{relation.accessor}.{line}" for line in others)
        for many in self.to_many:
            [first, *others] = ["pk"] if many.plan is None else many.plan.described()
            yield f"{many.accessor}: {first}"
            yield from (f"{many.accessor}.{line}" for line in others)

    def _described_columns(self) -> list[str]:
        lookups = [lookup for _, lookup in self.columns]
        if self.read is None:
            return ["every column", *(name for name in lookups if name in self.annotations)]
        return lookups + sorted(self.read.difference(lookups))

    def has_relations(self) -> bool:
        """Return whether other objects are shown, or read, with each object."""
        return next(self.related(), None) is not None

    def nested(self) -> Iterator["QueryPlan"]:
        """Yield the plans of the related objects, without those within them."""
        yield from (relation.plan for relation in self.to_one)
        yield from (relation.plan for relation in self.to_many if relation.plan is not None)

    def joined(self) -> Iterator[str]:
        """Yield the to-one relations, at any depth, by their names for `select_related()`."""
        yield from _paths(self.read or ())
        for relation in self.to_one:
            if relation.is_joined:
                yield relation.accessor
                for name in relation.plan.joined():
                    yield f"{relation.accessor}{LOOKUP_SEP}{name}"

    def related(self) -> Iterator[str]:
        """Yield the relations, at any depth, by their names for `prefetch_related()`."""
        yield from self.read_paths()
        for accessor, plans in self.accessors():
            yield accessor
            for plan in plans:
                for name in plan.related():
                    yield f"{accessor}{LOOKUP_SEP}{name}"

    def read_paths(self) -> Iterator[str]:
        """Yield the relations that code reads, by their names for `prefetch_related()`."""
        yield from self.prefetched
        yield from _paths(self.read or ())

    def accessors(self) -> Iterator[tuple[str, "tuple[QueryPlan, ...]"]]:
        """Yield what instances call the relations that are shown, and how the objects are."""
        yield from ((relation.accessor, (relation.plan,)) for relation in self.to_one)
        for many in self.to_many:
            yield many.accessor, () if many.plan is None else (many.plan,)
        yield from ((relation.accessor, relation.plans) for relation in self.by_instances)

    def loaded(self) -> set[str] | None:
        """Return the columns for `only()`, of joined relations too; `None` if it may be any."""
        if self.read is None:
            return None
        loaded = {lookup for _, lookup in self.columns if lookup not in self.annotations}
        loaded |= {relation.owner for relation in self.to_many}
        loaded |= {relation.known_by for relation in self.to_one}
        # What lies behind a relation that is prefetched, as the key of one that leads here.
        loaded = {name for name in loaded if LOOKUP_SEP not in name} | self.read
        loaded |= {name.partition(LOOKUP_SEP)[0] for name in self.read}
        others: list[Set[str] | None] = [
            *self._columns_of_prefetched(),
            *self._columns_of_shared(),
            *(
                _below(relation.accessor, relation.plan.loaded())
                for relation in self.to_one
                if relation.is_joined
            ),
        ]
        known = [columns for columns in others if columns is not None]
        return loaded.union(*known) if len(known) == len(others) else None

    def _columns_of_prefetched(self) -> Iterator[Set[str]]:
        for path in self.prefetched:
            relation = find_field(self.model, path.partition(LOOKUP_SEP)[0])
            yield frozenset() if relation is None else columns_of(relation)

    def _columns_of_shared(self) -> Iterator[Set[str] | None]:
        """Yield what related objects show and read of the one that they belong to.

        Django has them share the instance, at whatever depth the way comes back to it.
        """
        for accessor, plans in self.accessors():
            if (back := returns_by(find_field(self.model, accessor))) is not None:
                for plan in plans:
                    yield from _shown_of_first(plan, (back,))


def _shown_of_first(plan: QueryPlan, backs: tuple[str, ...]) -> Iterator[Set[str] | None]:
    """Yield the columns that `plan` needs of the object to which `backs` lead, the last one first.

    `None` if it may be any.
    """
    if not backs:
        yield plan.loaded()
        return
    yield None if plan.read is None else frozenset(_behind(backs, plan.read))
    for accessor, plans in plan.accessors():
        back = returns_by(find_field(plan.model, accessor))
        if accessor == backs[-1]:
            further = backs[:-1]
        elif back is not None:
            further = (*backs, back)
        else:
            continue
        for below in plans:
            yield from _shown_of_first(below, further)


def _behind(backs: tuple[str, ...], names: Iterable[str]) -> Iterator[str]:
    """Yield the columns, of the object to which `backs` lead, among `names`."""
    way = list(reversed(backs))
    for name in names:
        path = name.split(LOOKUP_SEP)
        if path[: len(way)] == way and len(path) > len(way):
            yield path[len(way)]


def _below(relation: str, columns: set[str] | None) -> set[str] | None:
    return None if columns is None else {f"{relation}{LOOKUP_SEP}{name}" for name in columns}


def _paths(names: Iterable[str]) -> Iterator[str]:
    """Yield the relations by which `names`, of columns, lead to other models."""
    for name in names:
        relation, separator, _ = name.rpartition(LOOKUP_SEP)
        if separator:
            yield relation


def reads(*names: str) -> Callable[[FunctionT], FunctionT]:
    """Say what a model's property reads, so that only that is loaded for it.

    `names` are columns of the model and of its to-one relations, `"title"` and `"author__name"`,
    and to-many relations. Stands below `@property` or `@cached_property`.
    """

    def declare(function: FunctionT) -> FunctionT:
        function.reads = names  # type: ignore[attr-defined]
        return function

    return declare


@cache
def plan_of(schema: Any) -> QueryPlan:
    """Return the plan of `schema`, a `ModelSchema`. Needs the app registry to be ready."""
    draft = _Draft(schema)
    for name in fields_of(schema):
        if not schema.is_write_only(name):
            draft.add(name)
    return draft.plan()


class _Draft:
    """A plan in the making."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.model: type[models.Model] = schema.django_model()
        self.columns: list[tuple[str, str]] = []
        self.annotations: set[str] = set()
        self.to_one: list[ToOne] = []
        self.to_many: list[ToMany] = []
        self.needs: list[str] = []
        self.by_instances: list[ByInstances] = []
        self.prefetched: list[str] = []
        self.read: set[str] = set()
        self.reads_any = False
        """What is read is not known."""

    def plan(self) -> QueryPlan:
        return QueryPlan(
            schema=self.schema,
            model=self.model,
            columns=tuple(self.columns),
            annotations=frozenset(self.annotations),
            to_one=tuple(self.to_one),
            to_many=tuple(self.to_many),
            needs=tuple(self.needs),
            by_instances=tuple(self.by_instances),
            prefetched=(*self.prefetched, *(_paths(self.read) if self.reads_any else ())),
            read=None if self.reads_any else frozenset(self.read),
            grows=any(relation.plan.grows for relation in self.to_one)
            or any(relation.plan and relation.plan.has_relations() for relation in self.to_many)
            or any(plan.has_relations() for one in self.by_instances for plan in one.plans),
        )

    def add(self, name: str) -> None:
        """Plan how the schema's field `name` is loaded."""
        field = find_field(self.model, name)
        key = input_key(self.schema, name)
        nested = self.schema.schemas_of(name)
        if field is None:
            self._add_other(key, name)
        elif is_generic(field) or len(nested) > 1:
            self._add_prefetched(name, nested)
        elif field.many_to_many or field.one_to_many:
            self._add_to_many(key, name, field, nested)
        elif nested:
            known_by = field.attname if field.concrete else never_null(field)
            is_joined = comes_by_join(self.model, name, field)
            plan = plan_of(nested[0])
            self.to_one.append(ToOne(key, field.name, name, known_by, plan, is_joined))
        elif parts := _parts_of_key(field):
            self.needs.append(name)
            self.read |= parts
        elif not field.concrete and not self._has_key_in_join(name, field):
            self.needs.append(name)
            self.prefetched.append(name)
        elif not field.concrete:  # the other side of a one-to-one relation
            self.columns.append((key, key_of(field)))
            self.prefetched.append(name)
        elif is_usual_column(self.model, field) and reader_of(field) is None:
            self.columns.append((key, field.attname))
        else:
            self.needs.append(name)
            self._add_read(field.attname)

    def _has_key_in_join(self, name: str, field: Any) -> bool:
        is_column = key_reader_of(field) is None and not has_composite_key(field)
        return is_column and comes_by_join(self.model, name, field)

    def _add_other(self, key: str, name: str) -> None:
        """Plan a name that is no field: an annotation, or what the class itself has."""
        found = inspect.getattr_static(self.model, name, None)
        if found is None:
            self.columns.append((key, name))
            self.annotations.add(name)
            return
        self.needs.append(name)
        declared = getattr(getattr(found, "fget", getattr(found, "func", None)), "reads", None)
        self.reads_any = self.reads_any or declared is None
        for read in declared or ():
            self._add_read(read)

    def _add_read(self, name: str) -> None:
        """Plan what an instance reads: a column, also of to-one relations, or a relation."""
        path, _, column = name.rpartition(LOOKUP_SEP)
        model = _model_by_joins(self.model, path)
        if model is None:  # what is read of it comes along
            self.prefetched.append(path)
            name, model = path.partition(LOOKUP_SEP)[0], self.model
            column = name
        field = find_field(model, column)
        if field is not None and (field.many_to_many or field.one_to_many):
            self.prefetched.append(name)
            return
        if isinstance(field, models.Field) and not reads_own_column(model, field):
            self.reads_any = True
        self.read.add(name)

    def _add_to_many(self, key: str, name: str, field: Any, nested: list[Any]) -> None:
        found = way_back(field) if has_usual_descriptor(self.model, name) else None
        is_converted = not nested and key_reader_of(field) is not None
        # Or a generic relation, or one that somebody else has made.
        if found is None or is_converted:
            self._add_prefetched(name, nested)
            return
        owner, back = found
        plan = plan_of(nested[0]) if nested else None
        self.to_many.append(ToMany(key, name, owner, back, field.related_model, plan))

    def _add_prefetched(self, name: str, nested: list[Any]) -> None:
        """Plan a relation that the instance itself reads, and what is shown of its objects."""
        self.needs.append(name)
        self.prefetched.append(name)
        if nested:
            self.reads_any = True  # its objects may show this instance again
            self.by_instances.append(ByInstances(name, tuple(map(plan_of, nested))))


def _model_by_joins(model: type[models.Model], path: str) -> Any:
    """Return the model to which `path` leads from `model`, as `select_related()` names it.

    `None` if joins do not give the very objects that the attributes would.
    """
    found: Any = model
    for name in path.split(LOOKUP_SEP) if path else ():
        field = find_field(found, name)
        if field is None or not comes_by_join(found, name, field):
            return None
        found = field.related_model
    return found


def _parts_of_key(field: Any) -> set[str]:
    """Return the columns of a composite primary key; of any other field, none."""
    if not isinstance(field, models.CompositePrimaryKey):
        return set()
    parts: Any = field.fields
    return {part.attname for part in parts}
