"""What do tests save, and what comes of it, with the mixin and without it?"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.postgres.search import SearchVectorField
from django.db import DataError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, assume, reject, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from django_mullet import PreparedWrites, annotation_of
from django_mullet.fields.info import facts_of_values
from django_mullet.queries import verification
from tests.fieldtypes.values import values_of

Save = Callable[..., None]

MODELS = [
    model
    for app in ("catalogue", "fieldtypes", "relations")
    for model in apps.get_app_config(app).get_models()
    if model._meta.managed and not model._meta.swapped and model._meta.can_migrate(connection)
]


few_examples = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def save(instance: Any, **options: Any) -> None:
    instance.save(**options)


def unverified(instance: Any, **options: Any) -> None:
    with as_in_production():
        instance.save(**options)


def ways(model: Any) -> list[tuple[Any, Save]]:
    """Return Django's way to save an object of `model`, and then the mixin's, each to be the same.

    A class for the object each, and what saves it: the last by what was compiled before.
    """
    return [
        (proxy_of(model), save),
        (mixed(model), save),
        (mixed(model), unverified),
        (mixed(model), unverified),
    ]


@contextmanager
def as_in_production() -> Iterator[None]:
    """Have nothing compared with what Django compiles in the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "in_tests", lambda: False)
        yield


def noting(results: list[Any], function: Callable[..., Any]) -> Any:
    """Return a static method that does what `function` does, and notes what that gives."""

    def noted(*args: Any) -> Any:
        results.append(None)
        results[-1] = function(*args)
        return results[-1]

    return staticmethod(noted)


def drawn(draw: Any, field: Any) -> Any:
    """Return a value that `field` may have, as a schema sets it."""
    if isinstance(field, models.ForeignObject):
        related = None if field.unique else field.related_model._base_manager.first()
        return None if field.null else related or made(draw, field.related_model)
    if isinstance(field, models.FileField):
        return draw(st.sampled_from(["", "there.txt"]))
    if isinstance(field, SearchVectorField):
        return None
    value = TypeAdapter(annotation_of(field)).validate_python(draw(values_of(field)))
    write = facts_of_values(field).write
    return value if write is None else write(value)


def made(draw: Any, model: Any) -> Any:
    """Return a new object of `model`, and of the models that it refers to."""
    made = model(**new_values(draw, model))
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except DataError:  # what the database computes is too large
        reject()
    return made


def new_values(draw: Any, model: Any) -> dict[str, Any]:
    """Return what a new object of `model` may have."""
    values = {field.name: drawn(draw, field) for field in written(model)}
    for field in model._meta.concrete_fields:
        if field.unique and not field.is_relation and field.name in values:
            assume(not model._base_manager.filter(**{field.name: values[field.name]}).exists())
    assume(not model._base_manager.filter(pk=model(**values).pk).exists())
    return values


def written(model: Any) -> list[Any]:
    return [
        field
        for field in model._meta.fields
        if not (field.generated or isinstance(field, models.AutoField))
        and not isinstance(field, models.CompositePrimaryKey)
        and not getattr(field.remote_field, "parent_link", False)
    ]


def outcome(save: Save, instance: Any, *, is_gone: bool = False) -> Any:
    """Return what `save` does: its queries, what it raises, and what is there afterwards."""
    rows, raised = type(instance)._meta.concrete_model._base_manager.order_by("pk"), None
    with transaction.atomic():
        if is_gone:
            rows.get(pk=instance.pk).delete()
        with CaptureQueriesContext(connection) as queries:
            try:
                save(instance)
            except Exception as error:
                raised = repr(error)
        needs_rollback = connection.needs_rollback
        found = None if raised else list(rows.values())
        transaction.set_rollback(True)
    return (
        [query["sql"] for query in queries],
        raised,
        needs_rollback,
        found,
        shown({name: value for name, value in vars(instance).items() if name != "_state"}),
        (instance._state.db, instance._state.adding, set(instance._state.fields_cache)),
    )


def shown(value: Any) -> str:
    """Return the same for objects that say of themselves only where they are."""
    return re.sub(r" at 0x\w+", "", repr(value))


def proxy_of(*bases: Any, **members: Any) -> Any:
    options = {"proxy": True, "app_label": "testapp", "apps": Apps()}
    namespace = {"__module__": __name__, "Meta": type("Meta", (), options), **members}
    return type("Proxy", bases, namespace)


@cache
def mixed(model: Any) -> Any:
    return proxy_of(PreparedWrites, model)


def model_of(table: str, options: dict[str, Any] | None = None, **fields: Any) -> Any:
    """Return another model of the table that `table` is the name of."""
    own = {"managed": False, "app_label": "testapp", "apps": Apps(), "db_table": table}
    options = {**own, **(options or {})}
    namespace = {"__module__": __name__, "Meta": type("Meta", (), options), **fields}
    return type(f"Other_{table}", (PreparedWrites, models.Model), namespace)
