"""Does a response have the same bytes with a plan and without, whatever the models are?

Models are made up, with their tables, rows and schemas: columns of most kinds, foreign keys to keys
and to other columns, one-to-one and many-to-many relations, parents and children.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.apps.registry import Apps
from django.db import connection, models
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from django_mullet import ModelSchema, annotation_of, prepared
from django_mullet.schemas.query_plan import plan_of
from tests.fieldtypes.values import values_of

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS: list[Callable[..., Any]] = [
    lambda **options: models.CharField(max_length=8, **options),
    models.TextField,
    models.IntegerField,
    models.BigIntegerField,
    lambda **options: models.DecimalField(max_digits=8, decimal_places=3, **options),
    models.FloatField,
    models.BooleanField,
    models.DateField,
    models.DateTimeField,
    models.TimeField,
    models.DurationField,
    models.UUIDField,
    models.GenericIPAddressField,
    models.JSONField,
    lambda **options: models.CharField(max_length=1, choices=[("a", "A"), ("b", "B")], **options),
]
KEYS: list[Callable[[], Any]] = [
    lambda: None,  # Django's own
    lambda: models.UUIDField(primary_key=True),
    lambda: models.CharField(max_length=8, primary_key=True),
]
APP = "tests.catalogue"  # of which the models in question are, in a registry without its own
serial = count()


@dataclass
class World:
    """The models of one example."""

    apps: Apps = field(default_factory=lambda: Apps([APP]))
    models: list[Any] = field(default_factory=list)

    def model(self, fields: dict[str, Any], *bases: Any, ordering: list[str]) -> Any:
        options = {"app_label": APP.rpartition(".")[2], "apps": self.apps, "ordering": ordering}
        name = f"Generated{next(serial)}"
        namespace = {"__module__": __name__, "Meta": type("Meta", (), options), **fields}
        made: Any = type(name, bases or (models.Model,), namespace)
        self.models.append(made)
        return made

    @contextmanager
    def tables(self) -> Iterator[None]:
        with connection.schema_editor() as editor:
            for model in self.models:
                editor.create_model(model)
        try:
            yield
        finally:
            with connection.schema_editor() as editor:
                for model in reversed(self.models):
                    editor.delete_model(model)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """One to four models, of which each may refer to those before it."""
    world = World()
    for number in range(draw(st.integers(1, 4))):
        fields: dict[str, Any] = {}
        parents = [model for model in world.models if not model._meta.parents]
        parent = draw(st.sampled_from([None, None, *parents]))
        key = draw(st.sampled_from(KEYS))() if parent is None else None
        if key is not None:
            fields["key"] = key
        for column in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(COLUMNS))
            fields[f"c{number}{column}"] = kind(null=draw(st.booleans()))
        fields[f"code{number}"] = models.IntegerField(unique=True)
        for index, target in enumerate(world.models):
            name, back = f"r{number}{index}", f"b{number}{index}"
            code = next(name for name in vars(target) if name.startswith("code"))
            relation = draw(st.sampled_from(["", "key", "code", "one", "many"]))
            nullable = draw(st.booleans())
            if relation == "many":
                fields[name] = models.ManyToManyField(target, related_name=back)
            elif relation:
                made: Any = models.OneToOneField if relation == "one" else models.ForeignKey
                fields[name] = made(
                    target,
                    models.CASCADE,
                    null=nullable,
                    related_name=back,
                    to_field=code if relation == "code" else None,
                )
        bases = () if parent is None else (parent,)
        world.model(fields, *bases, ordering=draw(st.sampled_from([[f"code{number}"], ["-pk"]])))
    return world


def fill(draw: Any, world: World) -> None:
    """Make up to four rows of each model."""
    for model in world.models:
        for _ in range(draw(st.integers(0, 4))):
            if (values := _values(draw, model)) is None:
                continue
            instance = model.objects.create(**values)
            for many in model._meta.many_to_many:
                others = list(many.related_model.objects.all())
                chosen = st.lists(st.sampled_from(others), unique=True) if others else st.just([])
                getattr(instance, many.name).set(draw(chosen))


def _values(draw: Any, model: Any) -> dict[str, Any] | None:
    """Return values for a new row, or `None` where there is nothing for it to refer to."""
    values: dict[str, Any] = {}
    for column in model._meta.concrete_fields:
        if column.name.startswith("code"):
            values[column.name] = next(serial)
        elif column.name == "key":
            number = next(serial)
            is_uuid = isinstance(column, models.UUIDField)
            values["key"] = UUID(int=number) if is_uuid else f"k{number}"
        elif column.remote_field and not column.remote_field.parent_link:
            others = list(column.related_model.objects.all())
            if column.one_to_one:
                of_all = column.model._base_manager  # of its children, too
                taken = of_all.exclude(**{column.name: None}).values_list(column.name)
                others = [each for each in others if (each.pk,) not in taken]
            if not others and not column.null:
                return None
            nothing = [None] if column.null else []
            values[column.name] = draw(st.sampled_from([*nothing, *others]))
        elif column.name.startswith("c"):
            sent = draw(values_of(column))
            values[column.name] = TypeAdapter(annotation_of(column)).validate_python(sent)
    return values


@st.composite
def schemas(draw: st.DrawFn, model: Any, depth: int) -> Any:
    """A schema of some columns and relations of `model`, at most `depth` relations deep."""
    columns = [each for each in model._meta.get_fields() if each.concrete and not each.is_relation]
    chosen = draw(st.lists(st.sampled_from(columns), unique=True, min_size=1, max_size=4))
    fields = {column.name: annotation_of(column) for column in chosen}
    relations = [each for each in model._meta.get_fields() if _is_shown(each)]
    if depth and relations:
        for relation in draw(st.lists(st.sampled_from(relations), unique=True, max_size=2)):
            is_back = isinstance(relation, models.ForeignObjectRel)
            name = relation.get_accessor_name() if is_back else relation.name
            nested = draw(schemas(relation.related_model, depth - 1) | st.none())
            fields[name] = _annotation(relation, nested)
    return type(f"Schema{next(serial)}", (ModelSchema[model],), {"__annotations__": fields})


def _is_shown(each: Any) -> bool:
    is_parent = getattr(each.remote_field, "parent_link", False)
    return bool(each.is_relation) and not is_parent and not getattr(each, "parent_link", False)


def _annotation(relation: Any, nested: Any) -> Any:
    if relation.many_to_many or relation.one_to_many:
        return list[nested or annotation_of(relation.related_model._meta.pk)]  # type: ignore[misc]
    if nested is None:
        if relation.concrete:
            return annotation_of(relation)
        return annotation_of(relation.related_model._meta.pk) | None
    return nested | None if relation.null or not relation.concrete else nested


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to find a smaller one takes minutes
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_the_bytes_are_the_same(data: st.DataObject) -> None:
    world = data.draw(worlds())
    with world.tables():
        fill(data.draw, world)
        for model in world.models:
            schema = data.draw(schemas(model, 3))
            instances = list(model.objects.order_by("pk"))
            adapter: TypeAdapter[Any] = TypeAdapter(list[schema])  # type: ignore[valid-type]

            expected = adapter.dump_json([schema.model_validate(each) for each in instances])

            assert adapter.dump_json(schema.from_qs(model.objects.order_by("pk"))) == expected
            assert adapter.dump_json(schema.from_qs(compiled(model))) == expected
            assert plan_of(schema).fits_in_rows()


def compiled(model: Any) -> Any:
    return prepared(lambda: model.objects.order_by("pk"))()
