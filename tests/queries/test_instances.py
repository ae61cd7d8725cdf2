"""Is an instance that is made of a row what Django would make of it, and whose code is asked?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.db.models.signals import post_init, pre_init
from django.dispatch import Signal
from django.test.utils import isolate_apps

from django_mullet.queries.instances import instances_of
from tests.catalogue.models import Sealed

MODELS = [model for model in apps.get_models() if model is not Sealed]  # which reads what it has


def names_of(model: Any) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


def contents(instance: models.Model) -> Any:
    """Return all that there is to an instance, in its order."""
    kept: dict[str, Any] = dict(vars(instance))
    return type(instance), vars(kept.pop("_state")), list(kept.items()), list(vars(instance))


def both(model: Any, names: tuple[str, ...]) -> tuple[Any, Any]:
    """Return what is made of a row here, and by Django."""
    row = tuple(f"value of {name}" for name in names)
    [made] = instances_of(model, names, "other", [row])
    return contents(made), contents(model.from_db("other", names, row))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_an_instance_is_that_of_django(model: Any) -> None:
    made, expected = both(model, names_of(model))

    assert made == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_what_was_not_loaded_is_deferred(model: Any) -> None:
    made, expected = both(model, names_of(model)[:1])

    assert made == expected


def test_each_row_has_a_state_of_its_own() -> None:
    first, second = instances_of(apps.get_model("testapp.Author"), ("id",), "default", [(1,), (2,)])

    first._state.fields_cache["relation"] = "object"

    assert (first.pk, second.pk) == (1, 2)
    assert second._state.fields_cache == {}


@contextmanager
def heard(signal: Signal) -> Iterator[list[Any]]:
    heard: list[Any] = []

    def receiver(sender: Any, **kwargs: Any) -> None:
        heard.append(sender)

    signal.connect(receiver)
    yield heard
    signal.disconnect(receiver)


def test_a_listener_changes_what_is_made() -> None:
    made, expected = both(Sealed, names_of(Sealed))

    assert made == expected
    assert dict(made[2])["mark"] == "*value of mark"


@pytest.mark.parametrize("signal", [pre_init, post_init])
def test_who_listens_is_told(signal: Signal) -> None:
    model = apps.get_model("testapp.Author")
    instances_of(model, ("id",), "default", [(1,)])  # before anybody listens

    with heard(signal) as senders:
        made, expected = both(model, ("id", "name"))

    assert made == expected
    assert senders == [model, model]


class Base(models.Model):
    class Meta:
        abstract = True
        app_label = "testapp"

    def __str__(self) -> str:
        return "x"


def own_from_db() -> Any:
    class Own(Base):
        @classmethod
        def from_db(cls, *args: Any, **kwargs: Any) -> Any:
            made: Any = super().from_db(*args, **kwargs)
            made.by = "from_db"
            return made

    return Own


def own_init() -> Any:
    class Own(Base):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.by = "init"

    return Own


def own_new() -> Any:
    class Own(Base):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            made: Any = super().__new__(cls)
            made.by = "new"
            return made

    return Own


def own_setter() -> Any:
    class Own(Base):
        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name != "by":
                self.by = name

    return Own


class Behind:
    def __init__(self) -> None:
        self.by = "mixin"


def init_of_a_mixin() -> Any:
    class Own(Base, Behind):
        pass

    return Own


def call_of_a_metaclass() -> Any:
    class Meta(type(models.Model)):  # type: ignore[misc]
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            made: Any = super().__call__(*args, **kwargs)
            made.by = "metaclass"
            return made

    class Own(Base, metaclass=Meta):
        pass

    return Own


def own_descriptor() -> Any:
    class Marking:
        def __set__(self, instance: Any, value: Any) -> None:
            instance.__dict__["by"] = (value, instance._state.adding)

    class Field(models.TextField):  # type: ignore[type-arg]
        def contribute_to_class(self, cls: Any, name: str, *args: Any, **kwargs: Any) -> None:
            super().contribute_to_class(cls, name, *args, **kwargs)
            setattr(cls, name, Marking())

    class Own(Base):
        marked = Field()

    return Own


@pytest.mark.parametrize(
    "make",
    [
        own_from_db,
        own_init,
        own_new,
        own_setter,
        init_of_a_mixin,
        call_of_a_metaclass,
        own_descriptor,
    ],
)
@isolate_apps("tests.testapp")
def test_code_of_the_model_is_asked(make: Callable[[], Any]) -> None:
    model = make()
    made, expected = both(model, names_of(model))

    assert made == expected
    assert "by" in dict(made[2])


@pytest.mark.parametrize("name", ["class", "by hand"])
@isolate_apps("tests.testapp")
def test_a_column_may_have_any_name(name: str) -> None:
    field: Any = models.TextField()

    class Named(Base):
        pass

    Named.add_to_class(name, field)  # type: ignore[attr-defined]

    made, expected = both(Named, names_of(Named))

    assert made == expected
    assert dict(made[2])[name] == f"value of {name}"
