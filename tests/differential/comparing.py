"""Does a schema show of a queryset what plain Django reads, with as few queries?"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models import ForeignKey
from django.test.utils import CaptureQueriesContext

from django_mullet.exceptions import LazyLoad, NotPreparable
from django_mullet.prepared import prepared
from tests.catalogue.models import (
    Agent,
    Chapter,
    Edition,
    Illustrated,
    Jacket,
    Person,
    Publisher,
    Sealed,
    Spot,
    Work,
)
from tests.differential.querysets import Query, random_query
from tests.differential.schemas import Shown, random_schema

__all__ = ["Report", "compare"]

MODELS = [
    *(Work, Work, Work, Illustrated, Person, Person, Chapter),
    *(Edition, Jacket, Spot, Agent, Publisher, Sealed),
]


@dataclass
class Report:
    """What became of the comparisons."""

    equal: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def compare(seed: int, report: Report) -> None:
    """Compare what a random schema shows of a random queryset in every way that it may be read."""
    connection.queries_log.clear()  # which has an end, after which nothing is counted
    random = Random(seed)
    model = random.choice(MODELS)
    query = random_query(model, random)
    try:
        with transaction.atomic():  # of which PostgreSQL would let nothing follow an error
            list(query.build())
    except Exception as error:
        report.refused[f"Django: {type(error).__name__}"] += 1
        return
    shown = random_schema(model, random, query.annotations)
    low = random.choice([0, 0, 3])
    ways = {"read": lambda: query.build(low), "prepared": lambda: _prepared(query, low)}
    # For instances that are there Django itself loads one after another what was left out.
    if random.random() < 0.3 and not query.leaves_out():
        ways["evaluated"] = lambda: _evaluated(query.build(low))
        ways["list"] = lambda: list(query.build(low))
    for way, make in ways.items():
        _compare(f"{seed} {way}", query, shown, make, low, report)


def _prepared(query: Query, low: int) -> Any:
    def function(low: int) -> Any:
        return query.build(low)

    return prepared(function)(low)


def _evaluated(queryset: Any) -> Any:
    len(queryset)
    return queryset


def _compare(name: str, query: Query, shown: Shown, make: Any, low: int, report: Report) -> None:
    try:
        with CaptureQueriesContext(connection) as by_django:
            instances = list(query.build(low))
        expected = [_plain(shown, instance) for instance in instances]
    except ObjectDoesNotExist as error:  # a property reads what the caller left out
        report.refused[f"plain code: {type(error).__name__}"] += 1
        return
    told = f"{name}: {query.model.__name__} {'.'.join(query.told)} {_described(shown)}"
    try:
        with CaptureQueriesContext(connection) as captured:
            found = [each.model_dump() for each in shown.schema.from_qs(make())]
    except NotPreparable as error:
        report.refused[f"NotPreparable: {str(error)[:60]}"] += 1
        return
    except LazyLoad as error:
        if not _is_rightly_refused(query, str(error)):
            report.faults.append(f"{told}\n  {error}")
        else:
            report.refused["LazyLoad"] += 1
        return
    except Exception as error:
        report.faults.append(f"{told}\n  {type(error).__name__}: {str(error)[:300]}")
        return
    most = len(by_django) + shown.relations()
    found = [_sorted(shown, each) for each in found]
    expected = [_sorted(shown, each) for each in expected]
    if found != expected:
        different = next(
            ((a, b) for a, b in zip(found, expected, strict=False) if a != b),
            (len(found), len(expected)),
        )
        report.faults.append(f"{told}\n  shown {different[0]}\n  plain {different[1]}")
    elif len(captured) > most:
        sql = "\n  ".join(each["sql"][:150] for each in captured.captured_queries[:6])
        report.faults.append(f"{told}\n  {len(captured)} queries, at most {most}:\n  {sql}")
    else:
        report.equal += 1


def _is_rightly_refused(query: Query, told: str) -> bool:
    """Return whether it is known what to write: a property reads what it does not say, or the
    caller leaves out a column that is shown.
    """
    return ".city' queries" in told or query.leaves_out()


def _described(shown: Shown) -> str:
    parts = []
    for name in shown.schema.model_fields:
        inner = shown.nested.get(name)
        parts.append(f"{name}{_described(inner[1])}" if inner else name)
    return f"{{{', '.join(parts)}}}"


def _plain(shown: Shown, instance: Any) -> dict[str, Any]:
    """Return what code that knows nothing of schemas reads of `instance`."""
    values: dict[str, Any] = {name: getattr(instance, name) for name in shown.columns}
    for name, kind in shown.keys.items():
        if kind == "many":
            values[name] = [each.pk for each in getattr(instance, name).all()]
        else:
            values[name] = _key(instance, name)
    for name, (is_many, inner) in shown.nested.items():
        if is_many:
            values[name] = [_plain(inner, each) for each in getattr(instance, name).all()]
        else:
            related = _one(instance, name)
            values[name] = None if related is None else _plain(inner, related)
    return values


def _key(instance: Any, name: str) -> Any:
    field = instance._meta.get_field(_relation(type(instance), name))
    if field.concrete and isinstance(field, ForeignKey):
        return getattr(instance, field.attname)
    related = _one(instance, name)
    return None if related is None else related.pk


def _one(instance: Any, name: str) -> Any:
    with suppress(ObjectDoesNotExist):
        return getattr(instance, name)
    return None


def _sorted(shown: Shown, values: dict[str, Any]) -> dict[str, Any]:
    """Return `values`, with the objects sorted that no `Meta.ordering` sorts."""
    found = dict(values)
    model = shown.schema.django_model()
    for name, value in values.items():
        inner = shown.nested.get(name)
        if isinstance(value, list):
            items = [_sorted(inner[1], each) for each in value] if inner else value
            is_sorted = model._meta.get_field(_relation(model, name)).related_model._meta.ordering
            found[name] = items if is_sorted else sorted(items, key=_order)
        elif inner and value is not None:
            found[name] = _sorted(inner[1], value)
    return found


def _order(item: Any) -> str:
    return repr(sorted(item.items()) if isinstance(item, dict) else item)


def _relation(model: Any, accessor: str) -> str:
    """Return what `Model._meta` calls the relation that instances call `accessor`."""
    names = {
        field.get_accessor_name(): field.name
        for field in model._meta.get_fields()
        if field.is_relation and field.auto_created and not field.concrete
    }
    return names.get(accessor, accessor)
