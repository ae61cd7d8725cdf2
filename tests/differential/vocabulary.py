"""What is there to say of querysets, by model?"""

from collections.abc import Callable
from typing import Any

from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    Value,
    Window,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Rank, Upper

from tests.catalogue.models import Chapter, Edition, Note, Person, Work

__all__ = ["ANNOTATIONS", "BARE", "CONDITIONS", "JOINS", "ORDERS", "PREFETCHED"]

Make = Callable[[], Any]

BARE = "bare editors"
"""A relation whose objects have but one of their columns."""


def _window() -> Any:
    # Not the number of the row: a join may give an object twice, in whichever order.
    return Window(Rank(), order_by=F("pk").desc())


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
        ("notes", Q(notes__text="note 0")),
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
    "Note": [("text", Q(text="note 1")), ("object_id", Q(object_id__lt=4))],
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
    "Note": ["text", "-object_id"],
}

_WORK_JOINS = [("author",), ("publisher", "author__mentor"), ("jacket",), ("spot",)]

JOINS: dict[str, list[tuple[str, ...]]] = {
    "Work": _WORK_JOINS,
    "Illustrated": [*_WORK_JOINS, ("work_ptr",)],
    "Person": [("mentor",), ("mentor__mentor",)],
    "Agent": [("publisher",)],
    "Publisher": [()],
    "Note": [("content_type",)],
    **{
        name: [("work",), ("work__author",), ("work__jacket", "work__publisher")]
        for name in ("Chapter", "Edition", "Jacket", "Spot", "Sealed")
    },
}

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
    ("notes", lambda: "notes"),
    ("notes about", lambda: "notes__about"),
    ("some notes", lambda: Prefetch("notes", Note.objects.filter(text="note 0").order_by("pk"))),
    ("first chapters", lambda: Prefetch("chapters", Chapter.objects.order_by("-pk")[:1])),
    ("joined editors", lambda: Prefetch("editors", Person.objects.select_related("mentor"))),
    ("chapters' works", lambda: Prefetch("chapters", Chapter.objects.select_related("work"))),
    (BARE, lambda: Prefetch("editors", Person.objects.only("mentor"))),
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
    "Note": [
        ("about", lambda: "about"),
        (
            "about some",
            lambda: GenericPrefetch(
                "about", [Work.objects.filter(pages__gt=0), Person.objects.all()]
            ),
        ),
        (
            "about joined",
            lambda: GenericPrefetch("about", [Work.objects.select_related("author")]),
        ),
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
    ("some SQL", int, lambda: RawSQL("3 + %s", [4])),
]

_WORK_ANNOTATIONS: list[tuple[str, Any, Make]] = [
    *_ANY,
    ("upper", str, lambda: Upper("title")),
    ("chapters", int, lambda: Count("chapters")),
    ("notes", int, lambda: Count("notes", distinct=True)),
    ("late chapters", int, lambda: Count("chapters", filter=Q(chapters__number__gt=0))),
    ("numbers", int | None, lambda: Sum("chapters__number")),
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
    "Note": _ANY,
    "Spot": [("a value", int, lambda: Value(7)), *_PART_ANNOTATIONS[:1]],
    **{name: [*_ANY, *_PART_ANNOTATIONS] for name in ("Chapter", "Edition", "Jacket", "Sealed")},
}
