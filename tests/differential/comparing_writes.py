"""Does a body leave the rows that plain Django leaves, and does the answer show them?"""

from collections.abc import Callable
from random import Random
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from pydantic import TypeAdapter

from django_mullet import Create, Patch, Update
from tests.differential.comparing import Report, described
from tests.differential.plain_writes import write
from tests.differential.reading import plain, shown_values
from tests.differential.writing import Written, random_body, random_written

__all__ = ["compare_writes"]

Rows = dict[str, list[Any]]

VARIANTS: list[tuple[str, Any]] = [("Create", Create), ("Update", Update), ("Patch", Patch)]


class _Undone(Exception):
    """Takes back what was written."""


def compare_writes(seed: int, report: Report) -> None:
    """Compare what a random body for a random schema writes with what plain Django does."""
    connection.queries_log.clear()
    random = Random(seed)
    written = random_written(random)
    key = None
    name, variant = VARIANTS[0]
    if random.random() < 0.5:
        name, variant = random.choice(VARIANTS[1:])
        key = random.choice(list(written.model._base_manager.values_list("pk", flat=True)))
    body = random_body(written, random, is_whole=name != "Patch")
    told = f"{seed} {name}[{described(written.shown)}] of {written.model.__name__} {key}: {body}"
    sent = TypeAdapter(variant[written.shown.schema]).validate_python(body)
    before = {model: set(model._base_manager.values_list("pk", flat=True)) for model in _models()}

    # What a body does not say stays prefetched, as for Django.
    relations = [name for name in _relations(written) if name in body and random.random() < 0.5]
    if "code" in body:  # by which the objects are found
        relations = []

    def by_schema() -> Any:
        return sent.create() if key is None else sent.save(_instance(written, key, *relations))

    def by_django(*relations: str) -> Any:
        one = None if key is None else _instance(written, key, *relations)
        return write(written, body, one)

    is_stale, expected, error = _outcome(by_django, before, lambda one: _is_stale(written, one))
    shown, rows, _ = _outcome(
        by_schema, before, lambda one: _shown_of(written, one, is_stale=is_stale)
    )
    if rows != expected and relations:
        # What was loaded before is not what there is, where a body takes the object away from
        # within: then it counts for plain code, too.
        _, expected, error = _outcome(lambda: by_django(*relations), before, lambda one: None)
    if rows != expected:
        report.faults.append(f"{told}\n  {_difference(rows, expected)}")
    elif shown:
        report.faults.append(f"{told}\n  {shown}")
    elif error is not None:
        report.refused[f"by both: {error}"] += 1
    else:
        report.equal += 1


def _instance(written: Written, key: Any, *relations: str) -> Any:
    return written.model._base_manager.prefetch_related(*relations).get(pk=key)


def _relations(written: Written) -> list[str]:
    return [*written.shown.nested, *(k for k, kind in written.shown.keys.items() if kind == "many")]


def _outcome(
    make: Callable[[], Any], before: Any, look: Callable[[Any], Any]
) -> tuple[Any, Any, str | None]:
    """Return what `look` tells of what is made, and the rows then, or the kind of the error."""
    found: tuple[Any, Any, str | None] = (None, None, None)
    try:
        with transaction.atomic():
            one = make()
            connection.check_constraints()
            found = (look(one), _rows(before), None)
            raise _Undone
    except _Undone:
        return found
    except (ValidationError, IntegrityError) as error:
        return None, type(error).__name__, type(error).__name__
    except Exception as error:
        told = f"{type(error).__name__}: {str(error)[:300]}"
        return None, told, told


def _is_stale(written: Written, one: Any) -> bool:
    """Return whether an object that Django has written is not what its row is.

    As one that has been its own friend, or the author of what it has edited, by another instance.
    """
    return plain(written.shown, one) != plain(written.shown, _instance(written, one.pk))


def _shown_of(written: Written, one: Any, *, is_stale: bool) -> str | None:
    """Return how the answer, or what is read anew, differs from what plain Django reads."""
    schema, shown = written.shown.schema, written.shown
    expected = plain(shown, _instance(written, one.pk))
    answer = shown_values(shown, schema.from_model(one))
    if answer != expected and not is_stale:
        return f"answered {answer}\n  plain    {expected}"
    [anew] = schema.from_qs(written.model._base_manager.filter(pk=one.pk))
    found = shown_values(shown, anew)
    return None if found == expected else f"read  {found}\n  plain {expected}"


def _models() -> list[Any]:
    return list(apps.get_app_config("catalogue").get_models(include_auto_created=True))


def _rows(before: Any) -> Rows:
    """Return all rows, in which new keys are called by their order, not as the sequence does."""
    new = {
        model: {key: ("new", index) for index, key in enumerate(sorted(now - before[model]))}
        for model in _models()
        if isinstance(model._meta.pk, models.AutoField)
        for now in [set(model._base_manager.values_list("pk", flat=True))]
    }

    def called(each: Any, value: Any) -> Any:
        model = each.target_field.model if each.is_relation else each.model
        is_key = each.is_relation or each.primary_key
        return new.get(model, {}).get(value, value) if is_key else value

    rows: Rows = {}
    for model in _models():
        fields = [
            each
            for each in model._meta.local_concrete_fields
            if not isinstance(each, models.CompositePrimaryKey)
            and not (model._meta.auto_created and each.primary_key)
        ]
        values = model._base_manager.values_list(*[each.attname for each in fields])
        rows[model.__name__] = sorted((tuple(map(called, fields, row)) for row in values), key=repr)
    return rows


def _difference(rows: Any, expected: Any) -> str:
    if not (isinstance(rows, dict) and isinstance(expected, dict)):
        return f"by the body {_brief(rows)}, by Django {_brief(expected)}"
    lines = []
    for name, ours in rows.items():
        more = [row for row in ours if row not in expected[name]]
        less = [row for row in expected[name] if row not in ours]
        if more or less:
            lines.append(f"{name}: by the body {more}, by Django {less}")
    return "\n  ".join(lines)


def _brief(rows: Any) -> str:
    return "rows" if isinstance(rows, dict) else str(rows)
