"""Does a schema show of a queryset what plain Django reads, with as few queries?

Where it is refused, what the error says to write must do.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from django_mullet import LazyLoad, NotPreparable, prepared
from tests.catalogue.models import (
    Agent,
    Chapter,
    Edition,
    Illustrated,
    Jacket,
    Note,
    Person,
    Publisher,
    Sealed,
    Spot,
    Work,
)
from tests.differential.querysets import Query, random_query
from tests.differential.reading import plain, shown_values
from tests.differential.schemas import Shown, random_schema
from tests.differential.vocabulary import BARE

__all__ = ["Report", "compare"]

MODELS = [
    *(Work, Work, Work, Illustrated, Illustrated, Person, Person, Chapter, Note),
    *(Edition, Jacket, Spot, Agent, Publisher, Sealed),
]
ADVICES = 8
"""How often it is done what an error has said to write: there may be a property in each schema."""
RELATION = re.compile(r"'\w+\.objects\.(select_related|prefetch_related)\((.*)\)'\.")
COLUMN = re.compile(r"Load '(\w+)' with the objects: add it to 'only\(\)', or take it out of")
NAMES = {
    "GenericPrefetch": GenericPrefetch,
    "Illustrated": Illustrated,
    "Person": Person,
    "Publisher": Publisher,
    "Work": Work,
}
"""Of what advice is made."""

Known = dict[tuple[str, ...], tuple[list[Any], int]]
"""What plain Django reads of queries, as they are told, and in how many queries."""

Make = Callable[[Query], list[Any]]


@dataclass
class Report:
    """What became of the comparisons."""

    equal: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def number(self) -> int:
        return self.equal + sum(self.refused.values()) + len(self.faults)


def compare(seed: int, report: Report) -> None:
    """Compare what a random schema shows of a random queryset in every way that it may be read."""
    connection.queries_log.clear()  # which has an end, after which nothing is counted
    random = Random(seed)
    model = random.choice(MODELS)
    query = random_query(model, random)
    if not _can_be_built(query):
        report.refused["Django: the query"] += 1
        return
    # Of a child, what the schema of its parent shows, too.
    shown_model = random.choice([Illustrated, Work]) if model is Illustrated else model
    shown = random_schema(shown_model, random, query.annotations)
    low = random.choice([0, 0, 3])
    known: Known = {}
    for way, make in _ways(query, shown.schema, low, random):
        with transaction.atomic():  # which locks rows, and of which an error may be the end
            _Comparison(f"{seed} {way}", shown, make, low, report, way, known).run(query)


def _can_be_built(query: Query) -> bool:
    try:
        with transaction.atomic():  # of which PostgreSQL would let nothing follow an error
            list(query.build())
    except Exception:  # whatever Django, or the database, does not take
        return False
    return True


def _ways(query: Query, schema: Any, low: int, random: Random) -> Iterator[tuple[str, Make]]:
    yield "read", lambda query: schema.from_qs(query.build(low))
    yield "prepared", lambda query: schema.from_qs(_prepared(query, low))
    # For instances that are there Django itself loads one after another what was left out.
    if random.random() < 0.3 and not query.leaves_out():
        yield "evaluated", lambda query: schema.from_qs(_evaluated(query.build(low)))
        yield "list", lambda query: schema.from_qs(list(query.build(low)))
    if random.random() < 0.2:
        yield "alone", lambda query: [schema.from_model(each) for each in query.build(low)]
    if random.random() < 0.2 and query.model is not Spot and not query.says("["):
        yield "found", lambda query: _found(schema, query, low)


def _prepared(query: Query, low: int) -> Any:
    def function(low: int) -> Any:
        return query.build(low)

    return prepared(function)(low)


def _evaluated(queryset: Any) -> Any:
    len(queryset)
    return queryset


def _found(schema: Any, query: Query, low: int) -> list[Any]:
    first = query.build(low)[:1]
    return [schema.get_or_404(query.build(low)[:1]) for _ in first]


@dataclass
class _Comparison:
    name: str
    shown: Shown
    make: Make
    low: int
    report: Report
    way: str
    known: Known

    def run(self, query: Query, advices: int = 0) -> None:
        told = f"{self.name}: {query.model.__name__} {'.'.join(query.told)} {described(self.shown)}"
        try:
            expected, most = self._by_django(query)
            with CaptureQueriesContext(connection) as captured:
                instances = self.make(query)
            found = [shown_values(self.shown, each) for each in instances]
        except ObjectDoesNotExist as error:  # a property reads what the caller left out
            self.report.refused[f"plain code: {type(error).__name__}"] += 1
        except NotPreparable as error:
            self.report.refused[f"NotPreparable: {str(error)[:60]}"] += 1
        except LazyLoad as error:
            advised = _advised(query, str(error)) if advices < ADVICES else None
            if "GenericPrefetch" in str(error) and query.says(
                "prefetch_related(GenericPrefetch", "prefetch_related(about "
            ):
                # Django takes the first of several for a relation: it goes into that.
                self.report.refused["LazyLoad: a second GenericPrefetch"] += 1
            elif advised is None or not _can_be_built(advised):
                self.report.faults.append(f"{told}\n  {error}")
            else:
                self.run(advised, advices + 1)
        except Exception as error:
            self.report.faults.append(f"{told}\n  {type(error).__name__}: {str(error)[:300]}")
        else:
            made = [each["sql"] for each in captured.captured_queries]
            self._judge(told, found, expected, made, most + advices)

    def _by_django(self, query: Query) -> tuple[list[Any], int]:
        """Return what plain Django reads, and how many queries a schema may make."""
        told = tuple(query.told)
        if told not in self.known:
            with CaptureQueriesContext(connection) as captured:
                instances = list(query.build(self.low))
            number = len(captured)
            self.known[told] = [plain(self.shown, each) for each in instances], number
        expected, number = self.known[told]
        relations = self.shown.relations()
        if self.way == "found":
            return expected[:1], number + 1 + relations
        each = max(len(expected), 1) if self.way == "alone" else 1
        return expected, number + each * relations

    def _judge(
        self, told: str, found: list[Any], expected: list[Any], made: list[str], most: int
    ) -> None:
        if found != expected:
            pairs = zip(found, expected, strict=False)
            number = (len(found), len(expected))
            one, other = next(((a, b) for a, b in pairs if a != b), number)
            self.report.faults.append(f"{told}\n  shown {one}\n  plain {other}")
        elif len(made) > most and self.way not in {"alone", "found"}:
            listed = "\n  ".join(sql[:150] for sql in made[:12])
            self.report.faults.append(f"{told}\n  {len(made)} queries, at most {most}:\n  {listed}")
        else:
            self.report.equal += 1


def _advised(query: Query, told: str) -> Query | None:
    """Return `query` with what the error `told` says to write, if it says something."""
    if found := RELATION.search(told):
        method, lookups = found[1], eval(f"({found[2]},)", NAMES)
        if query.says("union", "intersection", "difference"):
            method = "prefetch_related"  # Django takes nothing else there, and says so
        step = lambda queryset: getattr(queryset, method)(*lookups)  # noqa: E731
        return query.advised(f"{method}({found[2]})", step)
    if (found := COLUMN.search(told)) and (query.leaves_out() or BARE in " ".join(query.told)):
        return query.without_deferring(found[1])
    return None


def described(shown: Shown) -> str:
    """Return the names of what is shown, and of what is within it."""
    parts = []
    for name in shown.schema.model_fields:
        inner = shown.nested.get(name, (False, []))[1]
        parts.append("|".join([name + described(each) for each in inner] or [name]))
    return f"{{{', '.join(parts)}}}"
