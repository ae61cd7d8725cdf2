"""Are queries noticed that showing many objects makes for each?"""

import logging
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import override_settings

from django_mullet.exceptions import LazyLoad
from django_mullet.schemas import ModelSchema
from tests.catalogue.models import Chapter, Note, Person, Publisher, Work
from tests.library.models import Author, Book, Cover

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rows() -> None:
    author = Person.objects.create(name="Homer")
    work = Work.objects.create(
        title="Iliad", author=author, publisher=Publisher.objects.create(code="x", city="Ilion")
    )
    Chapter.objects.create(work=work, number=1, heading="Wrath")


def schema_with(monkeypatch: pytest.MonkeyPatch, model: Any, function: Any) -> Any:
    """Return a schema of `model` which shows that property too."""
    monkeypatch.setattr(model, "computed", property(function), raising=False)
    fields = {"id": int, "computed": Any}
    return type("Computed", (ModelSchema[model],), {"__annotations__": fields})


@pytest.mark.parametrize(
    ("model", "function", "cure"),
    [
        (
            Work,
            lambda work: work.publisher.city,
            "Load what it reads with the objects: 'Work.objects.select_related(\"publisher\")'.",
        ),
        (
            Work,
            lambda work: list(work.chapters.all()),
            "Load what it reads with the objects: 'Work.objects.prefetch_related(\"chapters\")'.",
        ),
        (
            Chapter,
            lambda chapter: Publisher.objects.count(),
            (
                "Load what it reads of 'catalogue_publisher' with the objects, by "
                "'select_related()' or 'prefetch_related()'."
            ),
        ),
    ],
)
def test_the_error_says_what_to_write(
    monkeypatch: pytest.MonkeyPatch, model: Any, function: Any, cure: str
) -> None:
    schema = schema_with(monkeypatch, model, function)

    with pytest.raises(LazyLoad) as caught:
        schema.from_qs(model.objects.all())

    assert str(caught.value) == (
        f"'Computed.computed' queries the database for each object by itself. {cure}"
    )
    assert caught.value.sql.startswith("SELECT")


def test_a_column_that_was_left_out_is_named() -> None:
    class Shown(ModelSchema[Work]):
        title: str
        pages: int  # neither the first nor the last
        city: str

    queryset = Work.objects.select_related("publisher").only("title", "publisher__city")

    with pytest.raises(LazyLoad) as caught:
        Shown.from_qs(queryset)

    assert str(caught.value) == (
        "'Shown.pages' queries the database for each object by itself. Load 'pages' with the "
        "objects: add it to 'only()', or take it out of 'defer()'."
    )


def test_a_file_that_was_left_out_is_named() -> None:
    class Shown(ModelSchema[Cover]):
        image: str | None

    author = Author.objects.create(name="Homer")
    Cover.objects.create(book=Book.objects.create(title="Iliad", price=1, author=author))

    with pytest.raises(LazyLoad, match=r"^'Shown\.image' queries the database for each object"):
        Shown.from_qs(Cover.objects.only("width"))


def test_a_query_that_is_not_a_select_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.delete())

    with pytest.raises(LazyLoad, match=r"^'Computed\.computed' queries the database"):
        schema.from_qs(Work.objects.all())

    assert Work.objects.count() == 1


def test_a_validator_that_queries_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Validated(ModelSchema[Note]):
        text: str

        def model_post_init(self, context: Any) -> None:
            Publisher.objects.count()

    Note.objects.create(text="x", content_type=ContentType.objects.get_for_model(Work), object_id=1)

    with pytest.raises(LazyLoad, match=r"^Showing 'Validated' queries for each object: SELECT"):
        Validated.from_qs(Note.objects.all())


def test_it_may_be_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.publisher.city)

    with override_settings(MULLET={"LAZY_LOADS": "warn"}):
        [shown] = schema.from_qs(Work.objects.all())

    assert shown.computed == "Ilion"
    [record] = caplog.records
    assert (record.name, record.levelno) == ("django_mullet.lazy_loads", logging.WARNING)
    assert record.getMessage().startswith("Showing 'Computed' queries for each object: SELECT")


def test_it_may_be_allowed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.publisher.city)

    with override_settings(MULLET={"LAZY_LOADS": "allow"}):
        [shown] = schema.from_qs(Work.objects.all())

    assert shown.computed == "Ilion"
    assert caplog.records == []


def test_a_single_object_loads_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.publisher.city)

    assert schema.from_model(Work.objects.get()).computed == "Ilion"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda work: work.publisher.city, "Ilion"),
        (lambda work: [chapter.heading for chapter in work.chapters.all()], ["Wrath"]),
    ],
)
def test_a_single_object_that_is_looked_up_loads_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, function: Any, expected: Any
) -> None:
    schema = schema_with(monkeypatch, Work, function)

    assert schema.get_or_404(Work.objects.all(), title="Iliad").computed == expected


def test_a_validator_of_a_single_object_may_query() -> None:
    class Validated(ModelSchema[Work]):
        title: str

        def model_post_init(self, context: Any) -> None:
            self.title = Publisher.objects.get().city

    assert Validated.get_or_404(Work.objects.all(), title="Iliad").title == "Ilion"
