"""Is what descriptors, managers and querysets do that are not Django's left to them?"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation
from pytest_django.fixtures import DjangoAssertNumQueries

from django_mullet import ModelSchema
from django_mullet.fields.foreign_code import comes_by_join
from django_mullet.schemas.query_plan import plan_of
from tests.catalogue.models import Note
from tests.packaged.models import (
    Corner,
    Frame,
    Genre,
    Offer,
    Painting,
    Shape,
    Station,
    Train,
)
from tests.packaged.ways import KeptQuerySet

pytestmark = pytest.mark.django_db


class GenreSchema(ModelSchema[Genre]):
    name: str


class LoudSchema(ModelSchema[Genre]):
    loud: str


class OfferSchema(ModelSchema[Offer]):
    price: Decimal
    genre: GenreSchema


class SloganSchema(ModelSchema[Offer]):
    slogan: str


class CornerSchema(ModelSchema[Corner]):
    angle: int


class ShapeSchema(ModelSchema[Shape]):
    name: str
    kind: str
    corners: list[CornerSchema]


class FrameSchema(ModelSchema[Frame]):
    shape: ShapeSchema | None


class TitleSchema(ModelSchema[Frame]):
    title: str


class PaintingSchema(ModelSchema[Painting]):
    name: str


class PaintedSchema(ModelSchema[Frame]):
    painting: PaintingSchema | None


class StationSchema(ModelSchema[Station]):
    name: str


class TrainSchema(ModelSchema[Train]):
    station: StationSchema


class StopsSchema(ModelSchema[Train]):
    stops: list[StationSchema]


class StopKeysSchema(ModelSchema[Train]):
    stops: list[int]


class PaintedKeySchema(ModelSchema[Frame]):
    painting: int | None


def shown(schema: Any, objects: Any) -> list[dict[str, Any]]:
    return [one.model_dump() for one in schema.from_qs(objects)]


@pytest.fixture(autouse=True)
def _forgetting() -> Iterator[None]:
    yield
    KeptQuerySet.kept.clear()


# Descriptors


@pytest.fixture
def offers() -> None:
    for name, name_de, price in [("prose", "Prosa", "2.50"), ("poem", "", "350.00")]:
        genre = Genre.objects.create(name=name, name_de=name_de)
        Offer.objects.create(price=Decimal(price), genre=genre)
    Offer.objects.filter(price=350).update(in_cents=True)


@pytest.mark.usefixtures("offers")
@pytest.mark.parametrize(
    ("language", "names"), [("en", ["prose", "poem"]), ("de", ["Prosa", "poem"])]
)
def test_a_descriptor_may_choose_the_column(
    language: str, names: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with translation.override(language), django_assert_num_queries(3):
        found = shown(GenreSchema, Genre.objects.order_by("pk"))
        below = shown(OfferSchema, Offer.objects.order_by("pk"))
        loud = shown(LoudSchema, Genre.objects.order_by("pk"))

    assert found == [{"name": name} for name in names]
    assert [offer["genre"] for offer in below] == found
    assert loud == [{"loud": name.upper()} for name in names]


@pytest.mark.usefixtures("offers")
def test_a_descriptor_may_read_another_column(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(3):  # the genres of the second apart
        found = shown(OfferSchema, Offer.objects.order_by("pk"))
        slogans = shown(SloganSchema, Offer.objects.order_by("pk"))

    assert [offer["price"] for offer in found] == [Decimal("2.5"), Decimal("3.5")]
    assert slogans == [
        {"slogan": f"{offer.genre}: {offer.price}"} for offer in Offer.objects.order_by("pk")
    ]


def test_what_a_descriptor_of_anybody_reads_is_not_known() -> None:
    assert plan_of(GenreSchema).loaded() is None
    assert plan_of(LoudSchema).loaded() is None
    assert plan_of(SloganSchema).loaded() is None


# Managers


@pytest.fixture
def frames() -> None:
    box = Shape.objects.create(name="box")
    ball = Shape.objects.create(name="ball", is_round=True)
    for number in range(4):
        Corner.objects.create(angle=number, shape=box)
    for shape in (box, ball, None):
        Frame.objects.create(shape=shape)
    for number, frame in enumerate(Frame.objects.order_by("pk")[:2]):
        Painting.objects.create(frame=frame, name=f"Lily {number}", is_hidden=bool(number))


@pytest.mark.usefixtures("frames")
def test_the_objects_of_a_relation_are_those_of_the_manager(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(3):  # the shapes, and the corners
        found = shown(FrameSchema, Frame.objects.order_by("pk"))

    corners = [{"angle": number} for number in range(4)]
    assert found == [
        {"shape": {"name": "box", "kind": "shape", "corners": corners}},
        {"shape": {"name": "ball", "kind": "ball", "corners": []}},
        {"shape": None},
    ]


@pytest.mark.usefixtures("frames")
def test_a_property_reads_the_objects_of_the_manager(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(2):
        found = shown(TitleSchema, Frame.objects.order_by("pk"))

    assert found == [{"title": frame.title} for frame in Frame.objects.order_by("pk")]
    assert [frame["title"] for frame in found] == ["a shape, box", "a ball, ball", "nothing"]


@pytest.mark.usefixtures("frames")
def test_what_a_base_manager_hides_is_not_joined() -> None:
    found = shown(PaintedSchema, Frame.objects.order_by("pk"))

    assert found == [{"painting": {"name": "Lily 0"}}, {"painting": None}, {"painting": None}]
    [key] = Painting.objects.values_list("pk", flat=True)
    keys = shown(PaintedKeySchema, Frame.objects.order_by("pk"))
    assert keys == [{"painting": key}, {"painting": None}, {"painting": None}]


def test_a_relation_of_its_own_query_is_described() -> None:
    assert list(plan_of(FrameSchema).described()) == [
        "shape_id",
        "shape: every column",
        "shape.corners: angle",
    ]
    assert list(plan_of(PaintedSchema).described()) == ["pk", "painting: name"]
    assert plan_of(FrameSchema).loaded() == {"shape_id"}
    assert list(plan_of(FrameSchema).joined()) == []
    assert plan_of(PaintedSchema).loaded() == set()


def test_the_command_says_which_relation_makes_instances_of_a_plan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("queryplan", f"{__name__}.PaintedSchema")

    assert capsys.readouterr().out.splitlines() == [
        "PaintedSchema of packaged.Frame, 2 queries:",
        "  1. pk",
        "  2. painting: name",
        "As instances, because of 'PaintedSchema.painting'.",
    ]


# Relations


def test_the_order_of_a_relation_is_that_of_its_own_manager() -> None:
    north, south = (Station.objects.create(name=name) for name in ("north", "south"))
    train = Train.objects.create(station=north)
    train.stops.set([north, south])

    assert shown(StopKeysSchema, Train.objects.all()) == [{"stops": [south.pk, north.pk]}]
    assert shown(StopsSchema, Train.objects.all()) == [
        {"stops": [{"name": station.name} for station in train.stops.all()]}
    ]


# Querysets


def test_no_table_is_joined_to_a_query_of_which_the_results_are_kept() -> None:
    station = Station.objects.create(name="north")
    Train.objects.create(station=station)
    assert shown(TrainSchema, Train.objects.all()) == [{"station": {"name": "north"}}]

    Station.objects.update(name="south")

    assert [str(train.station) for train in Train.objects.all()] == ["south"]
    assert shown(TrainSchema, Train.objects.all()) == [{"station": {"name": "south"}}]


def test_objects_are_those_that_a_queryset_yields() -> None:
    Station.objects.create(name="north")

    assert shown(StationSchema, Station.objects.all()) == [{"name": "North"}]


def test_an_object_of_any_model_comes_by_no_join() -> None:
    about = Note._meta.get_field("about")

    assert not comes_by_join(Note, "about", about)
