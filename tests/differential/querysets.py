"""What may a caller make of a queryset?"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from tests.catalogue.models import Illustrated, Person, Sealed, Spot, Work
from tests.differential.vocabulary import (
    ANNOTATIONS,
    BARE,
    CONDITIONS,
    JOINS,
    ORDERS,
    PREFETCHED,
)

__all__ = ["Query", "random_query"]

Step = Callable[[QuerySet[Any]], QuerySet[Any]]


@dataclass
class Query:
    """How a queryset is built, each time anew."""

    model: Any
    told: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    annotations: dict[str, Any] = field(default_factory=dict)
    """What a schema may show, and its type."""

    def build(self, low: int = 0) -> QuerySet[Any]:
        """Return the queryset, of rows whose key is not below `low`."""
        queryset = self.model._default_manager.all()
        if self.model is not Spot:
            queryset = queryset.filter(pk__gte=low)
        for step in self.steps:
            queryset = step(queryset)
        return queryset

    def leaves_out(self) -> bool:
        """Return whether columns are deferred."""
        return self.says("only", "defer")

    def says(self, *words: str) -> bool:
        """Return whether one of `words` is among what the caller has said."""
        return any(told.startswith(words) for told in self.told)

    def advised(self, told: str, step: Step) -> "Query":
        """Return the same query with what an error has said to write, as a caller would."""
        place = 0
        if told.startswith("prefetch_related"):
            # After a `Prefetch` of the caller's, and before what Django takes none behind.
            combined = [
                index
                for index, each in enumerate(self.told)
                if each.startswith(("union", "intersection", "difference"))
            ]
            place = combined[0] if combined else len(self.told)
        return replace(
            self,
            told=[*self.told[:place], told, *self.told[place:]],
            steps=[*self.steps[:place], step, *self.steps[place:]],
        )

    def without_deferring(self, name: str) -> "Query":
        """Return the same query with the column `name` added to `only()`, not in `defer()`."""
        if BARE in " ".join(self.told):  # of which all columns are named then
            return self._without(BARE)

        def load(queryset: QuerySet[Any]) -> QuerySet[Any]:
            names, is_deferred = queryset.query.deferred_loading
            if is_deferred:
                return queryset.defer(None).defer(*(names - {name, name.removesuffix("_id")}))
            return queryset.only(*names, name)

        def loading(step: Step) -> Step:
            return lambda queryset: load(step(queryset))

        steps = [
            loading(step) if told.startswith(("only", "defer")) else step
            for told, step in zip(self.told, self.steps, strict=True)
        ]
        return replace(self, told=[f"{name} loaded", *self.told], steps=[_same, *steps])

    def _without(self, told: str) -> "Query":
        kept = [pair for pair in zip(self.told, self.steps, strict=True) if told not in pair[0]]
        return replace(self, told=[pair[0] for pair in kept], steps=[pair[1] for pair in kept])

    def add(self, told: str, step: Step) -> None:
        self.told.append(told)
        self.steps.append(step)


def _same(queryset: QuerySet[Any]) -> QuerySet[Any]:
    return queryset


def random_query(model: Any, random: Random) -> Query:
    """Return a query for objects of `model`, with up to five things that a caller may say."""
    query = Query(model)
    kinds = [_some, _order, _only, _join, _prefetch, _annotate, _annotate, _distinct, _other]
    for kind in random.sample(kinds, random.choice([0, 1, 1, 2, 2, 3, 4, 5])):
        kind(query, random)
    _end(query, random)
    return query


def _some(query: Query, random: Random) -> None:
    told, condition = random.choice(CONDITIONS[query.model.__name__])
    if random.random() < 0.7:
        query.add(f"filter({told})", lambda queryset: queryset.filter(condition))
    else:
        query.add(f"exclude({told})", lambda queryset: queryset.exclude(condition))


def _order(query: Query, random: Random) -> None:
    names = random.sample(ORDERS[query.model.__name__], 1)
    query.add(f"order_by{names}", lambda queryset: queryset.order_by(*names, "pk"))


def _only(query: Query, random: Random) -> None:
    if query.model is Sealed:
        return  # which is changed once more for each column that is loaded late
    names = [each.attname for each in query.model._meta.concrete_fields if not each.primary_key]
    chosen = random.sample(names, random.randrange(1, len(names) + 1))
    method = random.choice(["only", "defer"])
    if random.random() < 0.4 and (joined := _paths_below(query.model)):
        path, name = random.choice(joined)
        query.add(f"select_related({path})", lambda queryset: queryset.select_related(path))
        chosen = [*chosen, path, f"{path}__{name}"] if method == "only" else [f"{path}__{name}"]
    query.add(f"{method}{chosen}", lambda queryset: getattr(queryset, method)(*chosen))


def _join(query: Query, random: Random) -> None:
    names = random.choice(JOINS[query.model.__name__])
    query.add(f"select_related{names}", lambda queryset: queryset.select_related(*names))


def _prefetch(query: Query, random: Random) -> None:
    told, make = random.choice(PREFETCHED[query.model.__name__])
    query.add(f"prefetch_related({told})", lambda queryset: queryset.prefetch_related(make()))


def _annotate(query: Query, random: Random) -> None:
    told, annotation, make = random.choice(ANNOTATIONS[query.model.__name__])
    name = f"extra_{len(query.steps)}"
    if random.random() < 0.15:
        query.add(f"alias({told})", lambda queryset: queryset.alias(**{name: make()}))
        return
    query.annotations[name] = annotation
    query.add(f"annotate({told})", lambda queryset: queryset.annotate(**{name: make()}))


def _distinct(query: Query, random: Random) -> None:
    query.add("distinct()", lambda queryset: queryset.distinct())


def _paths_below(model: Any) -> list[tuple[str, str]]:
    """Return columns of what may be joined: the relation, and the column."""
    return {
        Work: [("author", "name"), ("author", "mentor"), ("publisher", "city")],
        Illustrated: [("author", "name"), ("publisher", "code")],
        Person: [("mentor", "name")],
    }.get(model, [("work", "title"), ("work", "author")] if hasattr(model, "work") else [])


def _other(query: Query, random: Random) -> None:
    """Say one of the things that are seldom said."""
    kinds: list[tuple[str, Step]] = [
        ("reverse()", lambda queryset: queryset.reverse()),
        ("none()", lambda queryset: queryset.none()),
        ("select_for_update()", lambda queryset: queryset.select_for_update(of=("self",))),
        ("extra()", lambda queryset: queryset.extra(where=["1 = 1"])),
        ("extra(select)", lambda queryset: queryset.extra(select={"beside": "1 + 1"})),
    ]
    if issubclass(query.model, Work):
        kinds += [
            (
                "a filtered relation",
                lambda queryset: queryset.annotate(
                    late=FilteredRelation("chapters", condition=Q(chapters__number__gt=0))
                ).filter(late__isnull=False),
            )
        ]
    query.add(*random.choice(kinds))


def _end(query: Query, random: Random) -> None:
    """Have rows come in an order that is the same each time, and perhaps not all of them."""
    # Of what is annotated too, as a join may give an object several times.
    ends = list(query.annotations)
    # As many columns, but others, on either side of a union: a row is no object then.
    is_bare = query.leaves_out() and query.says("select_related")
    if random.random() < 0.1 and not (ends or is_bare or query.says("distinct()", "none()")):
        model = query.model
        method = random.choice(["union", "union", "intersection", "difference"])
        query.add(
            f"{method}()",
            lambda queryset: getattr(queryset.order_by(), method)(
                _all(model).filter(pk__gt=4).order_by()
                if method == "difference" and model is not Spot
                else _all(model).order_by()
            ),
        )
        query.add("order_by(pk)", lambda queryset: queryset.order_by(*_key(model)))
    elif not any(told.startswith("order_by") for told in query.told) or ends:
        model = query.model
        query.add("order_by(pk)", lambda queryset: queryset.order_by(*_key(model), *ends))
    if random.random() < 0.2:
        start, stop = random.choice([(0, 3), (1, 5), (2, None), (0, 1)])
        query.add(f"[{start}:{stop}]", lambda queryset: queryset[start:stop])


def _all(model: Any) -> QuerySet[Any]:
    found: QuerySet[Any] = model._default_manager.all()
    return found


def _key(model: Any) -> list[str]:
    return ["shelf", "place"] if model is Spot else ["pk"]
