"""Is what runs compared with what the queryset itself would send?"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import Prefetch, QuerySet
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from django_mullet import PreparedMismatch, prepared
from django_mullet.queries import compiled, verification
from django_mullet.queries.verification import sent_by
from tests.catalogue.models import Chapter, Person, Work

pytestmark = pytest.mark.django_db(databases=["default", "other"])

setting: dict[str, Any] = {}


class Estimating(QuerySet[Any]):
    """Counts in its own way, which is not known before it is built."""

    def count(self) -> int:
        return QuerySet.count(self.filter(pages__lt=1000))

    def exists(self) -> bool:
        return self.count() > 0


@pytest.fixture(autouse=True)
def works() -> None:
    setting.clear()
    ann = Person.objects.create(name="Ann")
    for number, title in enumerate(("a", "b", "c")):
        Work.objects.create(title=title, pages=number, author=ann)


def by_class(title: str) -> QuerySet[Any]:
    return setting.get("class", QuerySet)(Work).filter(title__gte=title)


def by_prefetch(title: str) -> QuerySet[Any]:
    chapters = Chapter.objects.filter(number=setting.get("number", 1))
    return Work.objects.filter(title__gte=title).prefetch_related(Prefetch("chapters", chapters))


def by_names(title: str) -> QuerySet[Any]:
    return Work.objects.filter(title__gte=title).values(setting.get("name", "pk"))


ASKED: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "count": lambda found: found.count(),
    "exists": lambda found: found.exists(),
    "first": lambda found: found.first(),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    ("function", "changed"),
    [
        (by_class, {"class": Estimating}),
        (by_prefetch, {"number": 2}),
        (by_names, {"name": "id"}),
    ],
)
@pytest.mark.parametrize("share", [0, 1])
def test_another_queryset_is_noticed(
    ask: Any, function: Any, changed: Any, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = prepared(function)
    monkeypatch.setattr(verification, "in_tests", lambda: not share)
    with override_settings(MULLET={"VERIFY_PREPARED": share}):
        assert ask(asking("b"))
        setting.update(changed)

        with pytest.raises(PreparedMismatch) as caught:
            ask(asking("b"))

    assert f"'{function.__name__}' was prepared " in str(caught.value)
    assert "give that as a parameter, or leave '@prepared' out" in str(caught.value)


@pytest.mark.parametrize("name", ["count", "exists"])
def test_what_is_counted_otherwise_than_by_the_queryset_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(query: Any) -> Any:
        return query.exists(limit=False)

    asking = {"count": compiled.number, "exists": compiled.existence}[name]
    monkeypatch.setitem(compiled.ANSWERS, wrong, compiled.ANSWERS[asking])
    monkeypatch.setattr(f"django_mullet.queries.bound_query.{asking.__name__}", wrong)

    with pytest.raises(PreparedMismatch, match="'by_class' was prepared as\n  SELECT"):
        getattr(prepared(by_class)("b"), name)()


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_comparison_sends_nothing(ask: Any) -> None:
    asking = prepared(by_class)

    with CaptureQueriesContext(connection) as seen:
        ask(asking("b"))

    assert len(seen) == 1


def test_the_first_statement_is_told_and_not_run() -> None:
    works = Work.objects.filter(title="b")

    with CaptureQueriesContext(connection) as seen:
        sql, params = sent_by(lambda: works.update(pages=9), "default")
        nothing = sent_by(lambda: list(works.none()), "default")
        chunked, _ = sent_by(lambda: list(works.iterator()), "default")

    assert (sql.split()[0], list(params)) == ("UPDATE", [9, "b"])
    assert nothing == ("", ())
    assert chunked.startswith("SELECT ")
    assert len(seen) == 0
    assert connections["default"] is connections[connection.alias]
    assert works.get().pages == 1


def test_an_error_before_a_statement_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        sent_by(lambda: 1 // 0, "default")

    assert Work.objects.count() == 3
