"""What may a caller make of a queryset?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import RowNumber, Upper

from tests.catalogue.models import Chapter, Edition, Person, Sealed, Spot, Work

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
        return any(told.startswith(("only", "defer")) for told in self.told)

    def add(self, told: str, step: Step) -> None:
        self.told.append(told)
        self.steps.append(step)


def random_query(model: Any, random: Random) -> Query:
    """Return a query for objects of `model`, with up to five things that a caller may say."""
    query = Query(model)
    kinds = [_some, _order, _only, _join, _prefetch, _annotate, _annotate, _distinct]
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


def _end(query: Query, random: Random) -> None:
    """Have rows come in an order that is the same each time, and perhaps not all of them."""
    # Of what is annotated too, as a join may give an object several times.
    ends = list(query.annotations)
    if random.random() < 0.1 and not ends and "distinct()" not in query.told:
        model = query.model
        query.add("union()", lambda queryset: queryset.order_by().union(_all(model).order_by()))
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


def _window() -> Any:
    return Window(RowNumber(), order_by=F("pk").desc())


def _of_work(prefix: str) -> list[tuple[str, Q]]:
    return [
        ("author", Q(**{f"{prefix}author__name": "person 1"})),
        ("pages", Q(**{f"{prefix}pages__gt": 100})),
        ("publisher", Q(**{f"{prefix}publisher__city": "aaaa"})),
    ]


CONDITIONS: dict[str, list[tuple[str, Q]]] = {
    "Work": [
        *_of_work(""),
        ("rating", Q(rating__isnull=True)),
        ("editors", Q(editors__name__in=["person 1", "person 2"])),
        ("chapters", Q(chapters__number__gte=1)),
        ("jacket", Q(jacket__colour="red")),
        ("either", Q(title="title 1") | Q(author__mentor__isnull=True)),
    ],
    "Person": [
        ("name", Q(name="person 1")),
        ("works", Q(works__pages=100)),
        ("mentor", Q(mentor__name="person 0")),
        ("friends", Q(friends__isnull=False)),
    ],
    "Chapter": [*_of_work("work__"), ("number", Q(number=1))],
    "Edition": [*_of_work("work__"), ("year", Q(year__gt=1990))],
    "Jacket": [*_of_work("work__"), ("colour", Q(colour="red"))],
    "Spot": [*_of_work("work__"), ("shelf", Q(shelf="s1"))],
    "Agent": [("city", Q(publisher__city="aaaa")), ("name", Q(name__gt="agent 2"))],
    "Publisher": [("works", Q(works__pages=100)), ("city", Q(city="aaaa"))],
    "Sealed": [*_of_work("work__"), ("mark", Q(mark="mark 1"))],
}
CONDITIONS["Illustrated"] = [*CONDITIONS["Work"], ("pictures", Q(pictures__gt=3))]

ORDERS = {
    "Work": ["title", "-pages", "author__name", "-publisher__city"],
    "Illustrated": ["title", "-pages", "author__name", "-pictures"],
    "Person": ["name", "-mentor__name"],
    "Chapter": ["number", "work__title"],
    "Edition": ["year", "work__author__name"],
    "Jacket": ["colour", "work__title"],
    "Spot": ["shelf", "work__title"],
    "Agent": ["name", "publisher__city"],
    "Publisher": ["city", "-code"],
    "Sealed": ["mark", "work__title"],
}

_WORK_JOINS = [("author",), ("publisher", "author__mentor"), ("jacket",), ("spot",)]

JOINS: dict[str, list[tuple[str, ...]]] = {
    "Work": _WORK_JOINS,
    "Illustrated": [*_WORK_JOINS, ("work_ptr",)],
    "Person": [("mentor",), ("mentor__mentor",)],
    "Agent": [("publisher",)],
    "Publisher": [()],
    **{
        name: [("work",), ("work__author",), ("work__jacket", "work__publisher")]
        for name in ("Chapter", "Edition", "Jacket", "Spot", "Sealed")
    },
}

Make = Callable[[], Any]

_WORK_PREFETCHED: list[tuple[str, Make]] = [
    ("author", lambda: "author"),
    ("keywords", lambda: "keywords"),
    ("chapters", lambda: "chapters"),
    ("seals", lambda: "seals"),
    ("author of some", lambda: Prefetch("author", Person.objects.filter(name="person 1"))),
    (
        "some chapters",
        lambda: Prefetch("chapters", Chapter.objects.filter(number__gte=1).order_by("-number")),
    ),
    ("all editions", lambda: Prefetch("editions", Edition._base_manager.order_by("year"))),
    ("some editors", lambda: Prefetch("editors", Person.objects.exclude(name="person 2"))),
    (
        "author with works",
        lambda: Prefetch("author", Person.objects.prefetch_related("works")),
    ),
    ("to an attribute", lambda: Prefetch("chapters", to_attr="found")),
]

PREFETCHED: dict[str, list[tuple[str, Make]]] = {
    "Work": _WORK_PREFETCHED,
    "Illustrated": _WORK_PREFETCHED,
    "Person": [
        ("works", lambda: "works"),
        ("mentor", lambda: Prefetch("mentor", Person.objects.filter(name="person 0"))),
        ("some works", lambda: Prefetch("works", Work.objects.filter(pages=100))),
        ("deep", lambda: "works__chapters"),
    ],
    "Agent": [("publisher", lambda: "publisher")],
    "Publisher": [("works", lambda: "works"), ("agents", lambda: "agents")],
    **{
        name: [
            ("work", lambda: "work"),
            ("some works", lambda: Prefetch("work", Work.objects.filter(pages__gt=0))),
            ("deep", lambda: "work__author"),
        ]
        for name in ("Chapter", "Edition", "Jacket", "Spot", "Sealed")
    },
}

_ANY: list[tuple[str, Any, Make]] = [
    ("a value", int, lambda: Value(7)),
    ("a window", int, _window),
]

_WORK_ANNOTATIONS: list[tuple[str, Any, Make]] = [
    *_ANY,
    ("upper", str, lambda: Upper("title")),
    ("chapters", int, lambda: Count("chapters")),
    ("editors", int, lambda: Count("editors", distinct=True)),
    ("a heading", str | None, lambda: F("chapters__heading")),
    ("author's name", str, lambda: F("author__name")),
    ("has chapters", bool, lambda: Exists(Chapter.objects.filter(work=OuterRef("pk")))),
    (
        "an edition",
        int | None,
        lambda: Subquery(
            Edition.objects.filter(work=OuterRef("pk")).order_by("-year").values("year")[:1]
        ),
    ),
]

_PART_ANNOTATIONS: list[tuple[str, Any, Make]] = [
    ("title", str, lambda: F("work__title")),
    ("siblings", int, lambda: Count("work__chapters")),
]

ANNOTATIONS: dict[str, list[tuple[str, Any, Make]]] = {
    "Work": _WORK_ANNOTATIONS,
    "Illustrated": [*_WORK_ANNOTATIONS, ("more", int, lambda: F("pictures") + 1)],
    "Person": [
        *_ANY,
        ("works", int, lambda: Count("works")),
        ("friends", int, lambda: Count("friends", distinct=True)),
        ("a title", str | None, lambda: F("works__title")),
    ],
    "Agent": [*_ANY, ("city", str, lambda: F("publisher__city"))],
    "Publisher": [*_ANY, ("works", int, lambda: Count("works"))],
    "Spot": [("a value", int, lambda: Value(7)), *_PART_ANNOTATIONS[:1]],
    **{name: [*_ANY, *_PART_ANNOTATIONS] for name in ("Chapter", "Edition", "Jacket", "Sealed")},
}
