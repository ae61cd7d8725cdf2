"""Does what is not Django's own code run as it would without preparation?

The classes do what packages do: hide rows that were deleted, cache what was found, note each query.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connections, models
from django.db.models import F, Q, QuerySet
from django.db.models.query import ModelIterable
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler, SQLInsertCompiler, SQLUpdateCompiler

from django_mullet import ModelSchema, PreparedQuerySet, prepared
from django_mullet.queries import stock_django, verification
from tests import compilers
from tests.catalogue.models import Person, Work
from tests.saving import mixed
from tests.testapp.models import Author, Item

pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture(params=[True, False], ids=["verified", "unverified"], autouse=True)
def verifying(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In tests, and as in production."""
    if not request.param:
        monkeypatch.setattr(verification, "in_tests", lambda: False)


@pytest.fixture(autouse=True)
def works() -> None:
    ann = Person.objects.create(name="Ann")
    for number, title in enumerate(("a", "b", "deleted")):
        Work.objects.create(title=title, pages=number, author=ann)


class Visible(Query):
    """Hides what is deleted when it is compiled, as django-safedelete's does."""

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        self.add_q(~Q(title="deleted"))
        return super().get_compiler(*args, **kwargs)


class Hiding(QuerySet[Any]):
    """Has a query of its own."""

    def __init__(self, model: Any = None, query: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(model, query or Visible(model), *args, **kwargs)


class Estimating(QuerySet[Any]):
    """Answers some questions without asking the database."""

    def count(self) -> int:
        return 1000

    def exists(self) -> bool:
        return False


class Defaulting(QuerySet[Any]):
    """Has always something to give."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().filter(*args, **kwargs).order_by("pk")[0]

    def first(self) -> Any:
        return "first of all"


class Filtering(QuerySet[Any]):
    """Filters in its own way."""

    def filter(self, *args: Any, **kwargs: Any) -> Any:
        return super().filter(*args, **kwargs).exclude(title="deleted")


class Rewriting(QuerySet[Any]):
    """Rewrites each condition, as django-modeltranslation's does."""

    def _filter_or_exclude(self, negate: Any, args: Any, kwargs: Any) -> Any:
        kwargs = {name.replace("name", "title"): value for name, value in kwargs.items()}
        return super()._filter_or_exclude(negate, args, kwargs)  # type: ignore[misc]


class Caching(QuerySet[Any]):
    """Keeps what was found."""

    kept: list[Any] = []

    def _fetch_all(self) -> None:
        self._result_cache: Any = self.kept
        super()._fetch_all()


class Sliced(QuerySet[Any]):
    """Counts from one."""

    def __getitem__(self, key: Any) -> Any:
        return "one" if key == 1 else super().__getitem__(key)


class Iterating(ModelIterable):  # type: ignore[type-arg]
    """Gives something else than instances."""

    def __iter__(self) -> Iterator[Any]:
        return map(str, super().__iter__())


class Showing(QuerySet[Any]):
    """Has an iterable of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._iterable_class: Any = Iterating


class Remembering(QuerySet[Any]):
    """Keeps a value beside its query."""

    wanted: Any = None

    def _clone(self) -> Any:
        clone: Any = super()._clone()  # type: ignore[misc]
        clone.wanted = self.wanted
        return clone

    def wanting(self, value: Any) -> Any:
        clone = self._clone()
        clone.wanted = value
        return clone

    def __iter__(self) -> Iterator[Any]:
        return iter([each for each in super().__iter__() if each.pages == self.wanted])


class Told(QuerySet[Any]):
    """Has an attribute, and a clone as Django's."""

    def wanting(self, value: Any) -> Any:
        clone = self.all()
        clone.wanted = value
        return clone

    def __iter__(self) -> Iterator[Any]:
        return iter([(each, self.wanted) for each in super().__iter__()])

    wanted: Any = None


class Ordering(QuerySet[Any]):
    """Turns each order around."""

    def order_by(self, *names: Any) -> Any:
        return super().order_by(*(f"-{name}" for name in names))


class Naming(QuerySet[Any]):
    """Has other columns than asked for."""

    def values_list(self, *names: Any, **kind: Any) -> Any:
        return super().values_list("title", flat=True)

    def values(self, *names: Any, **expressions: Any) -> Any:
        return super().values("title")


QUERYSETS: dict[str, Callable[[Any], QuerySet[Any]]] = {
    "hiding": lambda least: Hiding(Work).filter(pages__gte=least),
    "hiding within": lambda least: Work.objects.filter(
        pk__in=Hiding(Work).filter(pages__gte=least).values("pk")
    ),
    "estimating": lambda least: Estimating(Work).filter(pages__gte=least),
    "defaulting": lambda least: Defaulting(Work).filter(pages__gte=least),
    "filtering": lambda least: Filtering(Work).all(),
    "rewriting": lambda least: Rewriting(Work).filter(pages__gte=least),
    "caching": lambda least: Caching(Work).filter(pages__gte=least),
    "sliced": lambda least: Sliced(Work).filter(pages__gte=least).order_by("pk"),
    "showing": lambda least: Showing(Work).filter(pages__gte=least),
    "remembering": lambda least: Remembering(Work).filter(pages__gte=0).wanting(least),
    "told": lambda least: Told(Work).filter(pages__gte=least).wanting(least),
    "ordering": lambda least: Ordering(Work).filter(pages__gte=least),
    "naming": lambda least: Naming(Work).filter(pages__gte=least),
}
QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "list": lambda found: list(found),
    "count": lambda found: found.count(),
    "acount": lambda found: async_to_sync(found.acount)(),
    "exists": lambda found: found.exists(),
    "first": lambda found: found.first(),
    "get": lambda found: found.get(title="b"),
    "aget": lambda found: async_to_sync(found.aget)(title="b"),
    "get of its own name": lambda found: found.get(name="b"),
    "filter": lambda found: list(found.filter(pages__lt=9)),
    "count of filter": lambda found: found.filter(pages__lt=9).count(),
    "item": lambda found: found.order_by("pk")[1],
    "slice": lambda found: list(found.order_by("pk")[1:]),
    "own slice": lambda found: found[1],
    "rows": lambda found: list(found.values_list("pages")),
    "values": lambda found: list(found.values("pages")),
    "elsewhere": lambda found: list(found.using("other")),
    "iterator": lambda found: list(found.iterator()),
    "exclude": lambda found: list(found.exclude(pages=0)),
    "bool": lambda found: bool(found),
}


def outcome(ask: Callable[[Any], Any], queryset: Any) -> Any:
    try:
        return ask(queryset)
    except Exception as error:
        return repr(error)


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("function", QUERYSETS.values(), ids=QUERYSETS)
def test_a_queryset_of_somebody_else_answers_in_its_own_way(function: Any, ask: Any) -> None:
    asking = prepared(function)

    for least in (0, 1, 9, 0):
        assert outcome(ask, asking(least)) == outcome(ask, function(least))


class WorkSchema(ModelSchema[Work]):
    title: str


@pytest.mark.parametrize("name", ["hiding", "caching", "estimating", "filtering"])
def test_a_schema_is_filled_by_a_queryset_of_somebody_else(name: str) -> None:
    asking: Any = prepared(QUERYSETS[name])

    assert WorkSchema.from_qs(asking(1)) == WorkSchema.from_qs(QUERYSETS[name](1))


def test_a_method_that_django_lacks_changes_nothing() -> None:
    class Short(QuerySet[Any]):
        def short(self) -> Any:
            return self.filter(pages__lt=2)

        def delete(self) -> Any:
            return 0, {}

    @prepared
    def of(title: str) -> QuerySet[Any]:
        return Short(Work).short().filter(title=title)

    found: Any = of("a")

    assert isinstance(found, PreparedQuerySet)
    assert [work.pages for work in found.short()] == [0]


def test_a_method_that_answers_itself_leaves_the_others() -> None:
    asking: Any = prepared(QUERYSETS["estimating"])

    assert isinstance(asking(0), PreparedQuerySet)
    assert (asking(0).count(), len(asking(0))) == (1000, 3)


@pytest.mark.parametrize("name", ["_fetch_all", "filter", "get_compiler"])
def test_a_method_that_was_replaced_in_django_is_called(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner: Any = Query if name == "get_compiler" else QuerySet
    called = note_calls(monkeypatch, owner, name)

    @prepared
    def of(title: str) -> QuerySet[Any]:
        return Work.objects.filter(title=title)

    list(of("a"))
    before = len(called)
    list(of("a"))

    assert len(called) > before


def note_calls(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[Any]:
    """Replace a method by one that says it was Django's, and notes for which class it is called."""
    called: list[Any] = []
    method = getattr(owner, name)

    @wraps(method)
    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.append(type(self))
        return method(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, noting)
    return called


ASKED: dict[str, Callable[[Any], Any]] = {
    name: QUESTIONS[name] for name in ("list", "count", "exists", "first", "get", "filter", "rows")
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_who_replaces_what_executes_a_query_is_asked_from_then_on(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @prepared
    def of(pages: int) -> QuerySet[Work]:
        return Work.objects.filter(pages__gte=pages)

    expected = ask(of(1))
    with monkeypatch.context() as patch:
        called = note_calls(patch, SQLCompiler, "execute_sql")
        assert (ask(of(1)), bool(called)) == (expected, True)
        found = len(called)
    assert ask(of(1)) == expected
    assert len(called) == found


SEEN_BY: dict[Any, list[Any]] = {
    SQLInsertCompiler: [SQLInsertCompiler],
    SQLUpdateCompiler: [SQLUpdateCompiler],
    SQLCompiler: [SQLUpdateCompiler],  # which an update calls, and an insert does not
}


@pytest.mark.parametrize("kind", SEEN_BY)
def test_who_replaces_what_executes_a_write_is_asked(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = mixed(Author)(name="Ann")
    author.save()
    author.name = "Bo"
    author.save()

    called = note_calls(monkeypatch, kind, "execute_sql")
    written = mixed(Author)(name="Cleo")
    written.save()
    author.name = "Di"
    author.save()

    compiled_by = {each.__name__ for each in called}
    assert compiled_by >= {compiler.__name__ for compiler in SEEN_BY[kind]}
    assert {each.name for each in Author.objects.all()} == {"Cleo", "Di"}


@pytest.mark.parametrize("name", ["_do_insert", "_do_update"])
def test_who_replaces_a_step_of_save_is_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    method = getattr(models.Model, name)

    @wraps(method)
    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        called.append(self)
        return method(self, *args, **kwargs)

    monkeypatch.setattr(models.Model, name, noting)
    author = mixed(Author)(name="Ann")
    author.save()
    author.save()

    assert called == [author]


@pytest.mark.parametrize(
    ("owner", "name"),
    [(models.Manager, "_insert"), (QuerySet, "_insert"), (QuerySet, "_update")],
)
def test_who_replaces_what_save_calls_is_called(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed(Author)(name="Bo").save()
    called = note_calls(monkeypatch, owner, name)

    author = mixed(Author)(name="Ann")
    author.save()
    author.save()

    assert len(called) == 1


def test_a_compiler_of_somebody_else_compiles_each_query(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    class Compiler(SQLCompiler):
        def as_sql(self, *args: Any, **kwargs: Any) -> Any:
            compiled.append(self)
            return super().as_sql(*args, **kwargs)

    monkeypatch.setattr(compilers, "SQLCompiler", Compiler)
    monkeypatch.setattr(connections["default"].ops, "compiler_module", "tests.compilers")
    monkeypatch.setattr(connections["default"].ops, "_cache", None)

    @prepared
    def of(pages: int) -> QuerySet[Work]:
        return Work.objects.filter(pages__gte=pages)

    assert len(of(1)) == 2
    before = len(compiled)
    assert len(of(1)) == 2
    assert len(compiled) > before


def test_django_s_own_is_known_from_what_stands_for_it() -> None:
    @wraps(QuerySet.count)
    def count(self: Any) -> int:
        return 0

    assert stock_django.is_written_in_django(QuerySet.count, QuerySet.db, QuerySet.__iter__)
    assert not stock_django.is_written_in_django(count)
    assert not stock_django.is_written_in_django(QuerySet.count, Estimating.count)
    assert not stock_django.is_written_in_django(len)
    assert not stock_django.is_written_in_django(property())


def test_an_expression_is_no_value_for_somebody_else_either() -> None:
    asking: Any = prepared(lambda pages: Estimating(Item).filter(n=pages))

    assert list(asking(F("n"))) == list(Item.objects.all())
