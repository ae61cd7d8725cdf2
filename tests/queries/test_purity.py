"""Is a function refused that chooses its query by what it reads besides its parameters?"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from django.db import models
from django.db.models import F, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Lower, Upper
from django.test import override_settings
from django.utils.translation import get_language, gettext, override

from django_mullet import NotPreparable, Prepared, prepared
from django_mullet.queries import verification
from django_mullet.queries.purity import names_context_variable
from tests.catalogue.models import Chapter, Person, Work

pytestmark = pytest.mark.django_db

tenant: ContextVar[int] = ContextVar("tenant", default=0)


@pytest.fixture(autouse=True)
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production, where nothing is compared when a query runs."""
    monkeypatch.setattr(verification, "in_tests", lambda: False)


@pytest.fixture(autouse=True)
def works() -> Iterator[None]:
    bo = Person.objects.create(name="Bo")
    ann = Person.objects.create(name="Ann", mentor=bo)
    for number, title in enumerate(("a", "b", "c")):
        work = Work.objects.create(title=title, pages=number, author=ann)
        Chapter.objects.create(work=work, number=number, heading=title)
    token = tenant.set(7)
    yield
    tenant.reset(token)


def is_foreign() -> bool:
    return tenant.get() == 7


def by_column(value: Any) -> QuerySet[Any]:
    return Work.objects.filter(**{"title" if is_foreign() else "publisher__city": value})


def by_column_of_a_table(value: Any) -> QuerySet[Any]:
    return Person.objects.filter(**{"name" if is_foreign() else "id": value})


def by_lookup(value: Any) -> QuerySet[Any]:
    return Work.objects.filter(**{"pk__lt" if is_foreign() else "pk__gt": value})


def by_transform(value: Any) -> QuerySet[Any]:
    kind = Lower if is_foreign() else Upper
    return Work.objects.alias(other=kind("title")).filter(other=value)


def by_argument_of_a_transform(value: Any) -> QuerySet[Any]:
    return Work.objects.alias(other=F("pages") + Value(tenant.get())).filter(other=value)


def by_table(value: Any) -> QuerySet[Any]:
    name = "author__name" if is_foreign() else "author__mentor__name"
    return Work.objects.select_related("author__mentor").filter(**{name: value})


def by_negation(value: Any) -> QuerySet[Any]:
    condition = Q(pages=value)
    return Work.objects.filter(condition if is_foreign() else ~condition)


def by_connector(value: Any) -> QuerySet[Any]:
    first, second = Q(pages=value), Q(title="a")
    return Work.objects.filter(first & second if is_foreign() else first | second)


def by_order(value: Any) -> QuerySet[Any]:
    return Work.objects.filter(pages__gte=value).order_by("pages" if is_foreign() else "-pages")


def by_order_within_a_query(value: Any) -> QuerySet[Any]:
    return Work.objects.filter(
        pk__in=Work.objects.filter(pages__gte=value)
        .order_by("pages" if is_foreign() else "-pages")
        .values("pk")[:1]
    )


def by_lookup_within_a_query(value: Any) -> QuerySet[Any]:
    lookup = "number__lt" if is_foreign() else "number__gt"
    return Work.objects.filter(chapters__in=Chapter.objects.filter(**{lookup: value}))


def by_columns(value: Any) -> QuerySet[Any]:
    return Work.objects.filter(pages=value).only("title" if is_foreign() else "rating")


def by_names(value: Any) -> QuerySet[Any]:
    return Work.objects.filter(pages=value).values("pk" if is_foreign() else "id")


def by_kind_of_rows(value: Any) -> QuerySet[Any]:
    found = Work.objects.filter(pages=value)
    return found.values("pk") if is_foreign() else found.values_list("pk")


def by_prefetch(value: Any) -> QuerySet[Any]:
    found = Work.objects.filter(pages=value)
    return found.prefetch_related("chapters") if is_foreign() else found


def by_prefetched_query(value: Any) -> QuerySet[Any]:
    chapters = Chapter.objects.filter(number=tenant.get())
    return Work.objects.filter(pages=value).prefetch_related(Prefetch("chapters", chapters))


def by_attribute_of_a_prefetch(value: Any) -> QuerySet[Any]:
    prefetch = Prefetch("chapters", to_attr="all" if is_foreign() else "some")
    return Work.objects.filter(pages=value).prefetch_related(prefetch)


def by_prefetch_within_a_prefetch(value: Any) -> QuerySet[Any]:
    chapters = Chapter.objects.order_by("pk")
    chapters = chapters.prefetch_related("work") if is_foreign() else chapters
    return Work.objects.filter(pages=value).prefetch_related(Prefetch("chapters", chapters))


def by_database(value: Any) -> QuerySet[Any]:
    return Work.objects.using("default" if is_foreign() else "other").filter(pages=value)


CHOOSING: list[Callable[[Any], QuerySet[Any]]] = [
    *(by_column, by_column_of_a_table, by_lookup, by_transform, by_argument_of_a_transform),
    *(by_table, by_negation, by_connector, by_order, by_order_within_a_query),
    *(by_lookup_within_a_query, by_columns, by_names, by_kind_of_rows, by_prefetch),
    *(by_prefetched_query, by_attribute_of_a_prefetch, by_prefetch_within_a_prefetch, by_database),
]


@pytest.mark.parametrize("function", CHOOSING)
def test_each_choice_by_the_context_is_refused(function: Any) -> None:
    with pytest.raises(NotPreparable, match="the language, the time zone or a ContextVar: give"):
        list(prepared(function)(1))


@pytest.mark.parametrize("function", CHOOSING)
@pytest.mark.parametrize("ask", ["count", "exists"])
def test_what_is_refused_is_counted_by_django(function: Any, ask: str) -> None:
    asking: Any = prepared(function)

    for number in (7, 0, 7):
        token = tenant.set(number)
        if function is not by_database:
            assert getattr(asking(1), ask)() == getattr(function(1), ask)()
        tenant.reset(token)


def test_what_is_prefetched_may_not_wait_for_a_value() -> None:
    @prepared
    def chaptered(number: int) -> QuerySet[Work]:
        chapters = Chapter.objects.filter(number=number)
        return Work.objects.prefetch_related(Prefetch("chapters", chapters))

    with pytest.raises(NotPreparable, match="'number' is part of an expression"):
        list(chaptered(1))


@pytest.mark.parametrize(
    "prefetch",
    [
        "chapters",
        Prefetch("chapters"),
        Prefetch("chapters", Chapter.objects.filter(number__gt=0)),
        Prefetch("chapters", Chapter.objects.none()),
        Prefetch("chapters", Chapter.objects.prefetch_related("work"), to_attr="all_of_them"),
    ],
)
def test_what_is_prefetched_otherwise_is_prepared(prefetch: Any) -> None:
    def of(pages: int) -> QuerySet[Work]:
        return Work.objects.filter(pages=pages).prefetch_related(prefetch)

    name = getattr(prefetch, "to_attr", None) or "chapters"
    asking = prepared(of)
    shown = [[prefetched(work, name) for work in found] for found in (asking(1), of(1))]

    assert shown[0] == shown[1]
    assert is_compiled(asking, 1)


def prefetched(work: Any, name: str) -> list[Any]:
    found = getattr(work, name)
    return list(found) if isinstance(found, list) else list(found.all())


def test_two_parameters_in_a_lookup_and_its_side_are_asked_by_django() -> None:
    def compared(number: int, total: int) -> QuerySet[Work]:
        counted = models.Count("chapters", filter=Q(chapters__number=number))
        return Work.objects.alias(total=counted).filter(total=total)

    assert list(prepared(compared)(1, 1)) == list(compared(1, 1)) != []


# By the language


COLUMNS = {"de": "title", "fr": "publisher__city"}


def in_its_language(value: str) -> QuerySet[Work]:
    return Work.objects.filter(**{COLUMNS.get(get_language() or "", "publisher__city"): value})


def in_its_words(value: int) -> QuerySet[Work]:
    return Work.objects.filter(pages=value, title__lt=gettext("Yes"))


class InItsOrder(models.Func):
    """Reads the language when it is compiled."""

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        return f"{2 if get_language() == 'de' else 1}", []


def in_its_order(value: int) -> QuerySet[Work]:
    order = InItsOrder(output_field=models.IntegerField())
    return Work.objects.filter(pages=value).annotate(order=order)


LANGUAGES = [("en", "English"), ("fr", "Français"), ("de", "Deutsch")]


@pytest.mark.parametrize("function", [in_its_language, in_its_words, in_its_order])
@pytest.mark.parametrize("languages", [LANGUAGES, None])
def test_each_language_of_the_project_is_tried(function: Any, languages: Any) -> None:
    value = "a" if function is in_its_language else 1
    changed = {} if languages is None else {"LANGUAGES": languages}

    refused = pytest.raises(NotPreparable, match="reads the clock, the language")
    with override_settings(LANGUAGE_CODE="en", **changed), override("fr"), refused:
        list(prepared(function)(value))


def is_compiled(function: Prepared[..., Any], *values: Any) -> bool:
    """Return whether a call runs without its function."""
    list(function(*values))
    with pytest.MonkeyPatch.context() as patch:
        built: list[Any] = []
        ordinary = function._function

        def noted(*args: Any) -> Any:
            built.append(args)
            return ordinary(*args)

        patch.setattr(function, "_function", noted)
        list(function(*values))
    return not built


def test_who_reads_the_language_and_builds_the_same_is_prepared() -> None:
    @prepared
    def unmoved(pages: int) -> QuerySet[Work]:
        return Work.objects.filter(**{"pages" if get_language() != "it" else "id": pages})

    with override_settings(LANGUAGES=LANGUAGES):
        assert [work.pages for work in unmoved(1)] == [1]
        assert is_compiled(unmoved, 1)


def test_without_translations_there_is_one_language() -> None:
    with override_settings(USE_I18N=False):
        assert is_compiled(prepared(lambda pages: Work.objects.filter(pages=pages)), 1)


def test_a_trace_leaves_the_language_as_it_was() -> None:
    with override_settings(LANGUAGES=LANGUAGES), override("fr"):
        with pytest.raises(NotPreparable):
            list(prepared(in_its_language)("a"))

        assert (get_language(), gettext("Yes")) == ("fr", "Oui")


class Translated(QuerySet[Any]):
    """Has `values_list()` mean the column of the language, as django-modeltranslation does."""

    def values_list(self, *fields: Any, **kind: Any) -> Any:
        column = "title" if get_language() == "de" else "pages"
        return super().values_list(*(column if each == "name" else each for each in fields), **kind)


def test_columns_are_those_of_each_call_s_language() -> None:
    @prepared
    def of(pages: int) -> QuerySet[Any]:
        return Translated(Work).filter(pages=pages)

    found = []
    with override_settings(LANGUAGES=LANGUAGES):
        for language in ("fr", "de", "fr"):
            with override(language):
                found.append(list(of(1).values_list("name", flat=True)))

    assert found == [[1], ["b"], [1]]


class Of:
    def tenant(self) -> Any:
        return tenant.get()

    def __call__(self) -> Any:
        return tenant.get()


@pytest.mark.parametrize(
    ("function", "names"),
    [(by_prefetched_query, True), (Of().tenant, True), (Of(), False), (len, False)],
)
def test_the_context_variables_that_code_names_are_found(function: Any, names: bool) -> None:
    assert names_context_variable(function) is names
