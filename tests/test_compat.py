import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any

import pytest
from anyio import from_thread
from asgiref.local import Local
from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync
from django.apps.registry import Apps
from django.core import signals
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, get_request_handler
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message

from django_mullet import UnsupportedFastAPI
from django_mullet._compat import anyio, asgiref, django, fastapi, orm, pydantic, starlette
from tests.catalogue.models import Person


def test_anyio_asks_what_its_thread_is_led_to() -> None:
    class Backend:
        @staticmethod
        def run_async_from_thread(function: Any, args: Any, token: object) -> list[Any]:
            return ["run", function, args, token]

        @staticmethod
        def run_sync_from_thread(function: Any, args: Any, token: object) -> list[Any]:
            return ["run_sync", function, args, token]

        @staticmethod
        def check_cancelled() -> None:
            raise LookupError("check_cancelled")

    def elsewhere() -> list[Any]:
        anyio.lead_from_thread(Backend)
        with pytest.raises(LookupError, match="check_cancelled"):
            from_thread.check_cancelled()
        calls: list[Any] = [from_thread.run, from_thread.run_sync]
        return [call(print, 1, 2) for call in calls]

    with ThreadPoolExecutor(1) as threads:
        found = threads.submit(elsewhere).result()

    assert found == [["run", print, (1, 2), None], ["run_sync", print, (1, 2), None]]


def test_a_thread_that_is_led_nowhere_finds_no_event_loop() -> None:
    with pytest.raises(anyio.NoEventLoopError):
        from_thread.run_sync(print)


def test_anyio_calls_a_function_on_the_loop_of_another_thread() -> None:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        found = await asyncio.to_thread(anyio.call_on_loop, loop, asyncio.get_running_loop, ())
        return found is loop

    assert asyncio.run(main())


def test_asgiref_moves_context_variables_and_locals() -> None:
    variable: ContextVar[str] = ContextVar("variable")
    local = Local()

    def elsewhere() -> None:
        variable.set("moved")
        local.value = "moved"

    context = copy_context()
    context.run(elsewhere)

    asgiref.move_context(context)

    assert (variable.get(), local.value) == ("moved", "moved")


def test_asgiref_has_the_places_for_executors() -> None:
    assert isinstance(SyncToAsync.thread_sensitive_context, ContextVar)
    assert hasattr(SyncToAsync.context_to_thread_executor, "__setitem__")
    assert hasattr(AsyncToSync, "executors")


@pytest.mark.django_db
def test_django_names_the_handler_when_a_response_is_closed() -> None:
    senders: list[Any] = []

    def note(sender: Any, **kwargs: Any) -> None:
        senders.append(sender)

    response = HttpResponse()
    signals.request_finished.connect(note)
    try:
        django.set_handler_class(response, Request)
        response.close()
    finally:
        signals.request_finished.disconnect(note)

    assert senders == [Request]


def test_django_notes_exemptions_from_atomic_requests_on_the_view() -> None:
    @transaction.non_atomic_requests
    @transaction.non_atomic_requests(using="other")
    def view() -> None: ...

    assert django.non_atomic_aliases(view) == {"default", "other"}
    assert django.non_atomic_aliases(lambda: None) == set()


@pytest.mark.parametrize("enforce", [True, False])
def test_django_s_test_client_says_whether_it_wants_csrf_checks(enforce: bool) -> None:
    request = Client(enforce_csrf_checks=enforce).get("/admin/login/").wsgi_request
    other = RequestFactory().post("/")
    middleware = CsrfViewMiddleware(lambda _: HttpResponse())

    assert django.passes_csrf_checks(request) is not enforce
    assert middleware.process_view(other, HttpResponse, (), {}) is not None
    assert not django.passes_csrf_checks(other)
    django.let_pass_csrf_checks(other)
    assert django.passes_csrf_checks(other)
    assert middleware.process_view(other, HttpResponse, (), {}) is None


def test_pydantic_tells_whether_names_are_known() -> None:
    class Waiting(BaseModel):
        later: "list[Later]"

    class Later(BaseModel):
        name: str

    assert not pydantic.knows_its_fields(Waiting)
    Waiting.model_rebuild(_types_namespace={"Later": Later})
    assert pydantic.knows_its_fields(Waiting)


@pytest.mark.parametrize(
    "name",
    ["dependant", "dependency_overrides_provider", "stream_item_field", "is_json_stream"],
)
def test_fastapi_s_handler_has_the_variables(name: str) -> None:
    app = FastAPI()
    app.add_api_route("/", lambda: None)
    route = app.routes[-1]
    assert isinstance(route, APIRoute)

    cell = fastapi.handler_variable(route.get_route_handler(), name)

    expected = {
        "dependant": route.dependant,
        "dependency_overrides_provider": app,
        "stream_item_field": route.stream_item_field,
        "is_json_stream": route.is_json_stream,
    }
    assert cell.cell_contents is expected[name]


def test_replacing_the_variable_changes_what_the_handler_does() -> None:
    def dependency() -> str:
        return "dependency"

    class Overriding:
        dependency_overrides = {dependency: lambda: "override"}

    app = FastAPI()

    class Route(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()
            cell = fastapi.handler_variable(handler, "dependency_overrides_provider")
            cell.cell_contents = Overriding()
            return handler

    app.router.route_class = Route

    @app.get("/")
    def endpoint(value: Annotated[Any, Depends(dependency)]) -> Any:
        return value

    assert TestClient(app).get("/").json() == "override"


def test_a_copy_of_a_dependant_has_what_is_unknown_and_nothing_that_was_kept() -> None:
    @dataclass
    class Newer(Dependant):
        priority: int = 0

        @cached_property
        def is_slow(self) -> bool:
            return self.call is len

    old = Newer(call=len, priority=7)
    assert old.is_slow
    vars(old)["noted"] = "by a tool"

    new: Any = fastapi.changed_dependant(old, call=print)

    assert (new.priority, new.noted, new.is_slow) == (7, "by a tool", False)
    assert (old.call, old.is_slow) == (len, True)


def handler_with(unknown: Any) -> Any:
    dependant, dependency_overrides_provider, response_field = Dependant(call=print), None, None

    def app() -> Any:
        return dependant, dependency_overrides_provider, response_field, unknown

    app.__module__ = "fastapi.routing"
    return app


def calling(call: Any) -> Any:
    return lambda: call()


def with_an_empty_variable() -> Any:
    def function() -> Any:
        return empty

    if function.__closure__ is None:
        empty = None
    return function


class Steps(list[Any]):
    def run(self) -> None: ...


@pytest.mark.parametrize(
    "unknown",
    [
        print,
        partial(print, sep=""),
        partial(len, print),
        calling([print]),
        lambda call=print: call(),
        {"calls": (len, [print])},
        Steps([print]).run,
    ],
)
def test_a_variable_that_leads_to_the_endpoint_is_reported(unknown: Any) -> None:
    with pytest.raises(UnsupportedFastAPI, match="The variable 'unknown' of FastAPI's request"):
        fastapi.require_sole_references(handler_with(unknown))


@pytest.mark.parametrize(
    "unknown", [None, 5, len, partial(len), {"a": [len]}, calling(len), with_an_empty_variable()]
)
def test_a_variable_that_leads_elsewhere_is_not(unknown: Any) -> None:
    fastapi.require_sole_references(handler_with(unknown))


@pytest.mark.parametrize(
    "handler", [get_request_handler, lambda request: None, print, AsyncExitStack()]
)
def test_a_handler_without_the_variable_is_reported(handler: Any) -> None:
    with pytest.raises(UnsupportedFastAPI) as caught:
        fastapi.handler_variable(handler, "missing")

    assert str(caught.value) == (
        "FastAPI's request handler has no variable 'missing'. Install a FastAPI release that "
        "this release of django-mullet supports, or a newer django-mullet."
    )


def test_fastapi_leaves_its_two_stacks_in_the_scope() -> None:
    order: list[str] = []
    app = FastAPI()

    @app.get("/")
    async def endpoint(request: Request) -> None:
        fastapi.request_stack(request.scope).callback(order.append, "request")
        fastapi.function_stack(request.scope).callback(order.append, "function")

    TestClient(app).get("/")

    assert order == ["function", "request"]


def test_fastapi_puts_exits_on_the_stack_that_replaces_its_own() -> None:
    order: list[str] = []
    app = FastAPI()
    replacement = AsyncExitStack()

    async def dependency() -> AsyncIterator[None]:
        yield
        order.append("left")

    class Route(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def replaced(request: Request) -> Any:
                async with replacement:
                    fastapi.replace_function_stack(request.scope, replacement)
                    response = await handler(request)
                    order.append("response")
                return response

            return replaced

    app.router.route_class = Route

    @app.get("/")
    async def endpoint(_: Annotated[None, Depends(dependency, scope="function")]) -> None: ...

    TestClient(app).get("/")

    assert order == ["response", "left"]


def test_starlette_keeps_the_iterator_of_a_synchronous_body() -> None:
    def body() -> Iterator[bytes]:
        yield b"x"

    items = body()
    response = StreamingResponse(items)

    assert starlette.threaded_iterator(response.body_iterator) is items  # type: ignore[arg-type]


def test_starlette_keeps_the_list_of_a_synchronous_body() -> None:
    response = StreamingResponse([b"x"])

    found = starlette.threaded_iterator(response.body_iterator)  # type: ignore[arg-type]

    assert found is not None
    assert list(found) == [b"x"]


def test_an_asynchronous_body_has_no_synchronous_iterator() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x"

    assert starlette.threaded_iterator(body()) is None
    assert starlette.threaded_iterator(iterate_in_threadpool([1])) is not None


def test_it_is_known_whose_executor_runs_the_orm_of_a_task() -> None:
    mine, other = asgiref.ThreadSensitiveExecutor(), asgiref.ThreadSensitiveExecutor()

    async def main() -> list[bool]:
        undo = asgiref.send_orm_to(mine)
        inside = [asgiref.runs_orm(mine), asgiref.runs_orm(other)]
        undo()
        return [*inside, asgiref.runs_orm(mine)]

    assert asyncio.run(main()) == [True, False, False]
    assert async_to_sync(main)() == [True, False, False]


def test_starlette_leaves_the_exception_handlers_in_the_scope() -> None:
    found: list[Any] = []
    app = FastAPI()

    @app.exception_handler(LookupError)
    def for_a_class(request: Request, error: LookupError) -> None: ...

    @app.exception_handler(418)
    def for_a_status(request: Request, error: HTTPException) -> None: ...

    @app.get("/")
    async def endpoint(request: Request) -> None:
        for error in (KeyError(), HTTPException(418), OSError()):
            found.append(starlette.exception_handler(request.scope, error))
        found.append(starlette.exception_handler({}, KeyError()))

    TestClient(app).get("/")

    assert found == [for_a_class, for_a_status, None, None]


def test_starlette_reads_a_body_from_what_replaces_its_receive() -> None:
    app = FastAPI()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"replaced", "more_body": False}

    @app.post("/")
    async def endpoint(request: Request) -> str:
        starlette.replace_receive(request, receive)
        return (await request.body()).decode()

    assert TestClient(app).post("/", content="given").json() == "replaced"


def test_starlette_keeps_what_was_read_of_a_request() -> None:
    app = FastAPI()
    before: list[Any] = []

    @app.post("/")
    async def endpoint(request: Request) -> list[str]:
        before.extend([starlette.body_so_far(request), starlette.form_so_far(request)])
        if request.headers["content-type"].startswith("application/x-www-form"):
            await request.form()
        else:
            await request.body()
        return [str(starlette.body_so_far(request)), str(starlette.form_so_far(request))]

    client = TestClient(app)

    assert client.post("/", json=1).json() == ["b'1'", "None"]
    assert client.post("/", data={"a": "b"}).json()[1] == "FormData([('a', 'b')])"
    assert before == [None] * 4


def test_fastapi_puts_exits_on_the_request_s_stack_that_replaces_its_own() -> None:
    order: list[str] = []
    app = FastAPI()

    async def dependency() -> AsyncIterator[None]:
        yield
        order.append("left")

    class Route(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def replaced(request: Request) -> Any:
                async with AsyncExitStack() as replacement:
                    fastapi.replace_request_stack(request.scope, replacement)
                    response = await handler(request)
                    order.append("response")
                order.append("outside")
                return response

            return replaced

    app.router.route_class = Route

    @app.get("/")
    async def endpoint(_: Annotated[None, Depends(dependency)]) -> None: ...

    TestClient(app).get("/")

    assert order == ["response", "left", "outside"]


def test_django_tells_whether_a_queryset_is_evaluated() -> None:
    queryset = Person.objects.none()

    before = orm.is_evaluated(queryset)
    list(queryset)

    assert (before, orm.is_evaluated(queryset)) == (False, True)


@pytest.mark.parametrize(
    ("queryset", "as_built", "joins"),
    [
        (Person.objects.filter(name="x").order_by("name")[:3], True, True),
        (Person.objects.only("name"), True, False),
        (Person.objects.defer("name"), True, False),
        (Person.objects.select_related("mentor"), True, False),
        (Person.objects.prefetch_related("pupils"), False, True),
        (Person.objects.distinct(), False, True),
        (Person.objects.extra(select={"x": "1"}), False, True),
        (Person.objects.select_for_update(), False, False),
        (Person.objects.union(Person.objects.all()), False, False),
        (Person.objects.values("name"), False, False),
        (Person.objects.values_list("name"), False, False),
    ],
)
def test_django_tells_what_was_asked_of_a_queryset(
    queryset: Any, as_built: bool, joins: bool
) -> None:
    assert orm.is_as_built(queryset) is as_built
    assert orm.takes_joins(queryset) is joins


@pytest.mark.django_db
def test_django_has_save_update_a_row_by_another_function() -> None:
    calls: list[Any] = []

    def update(rows: Any, pk: Any, values: Any) -> int:
        calls.append((rows.model, rows.db, pk, [(field.name, *rest) for field, *rest in values]))
        return rows.filter(pk=pk).update(name="Cleo")

    person = person_updated_by(update)
    person.save(update_fields=["name"], force_update=True)

    assert calls == [(Person, "default", person.pk, [("name", None, "Ann")])]
    assert Person.objects.get().name == "Cleo"


@pytest.mark.django_db
def test_django_notices_when_that_finds_no_row() -> None:
    person = person_updated_by(lambda rows, pk, values: 0)

    with pytest.raises(DatabaseError, match=r"Forced update did not affect any rows\."):
        person.save(force_update=True)


@pytest.mark.django_db
def test_django_updates_a_row_where_the_other_function_will_not() -> None:
    person = person_updated_by(lambda rows, pk, values: None)
    person.name = "Bo"

    person.save()

    assert Person.objects.get().name == "Bo"


def person_updated_by(update: Any) -> Any:
    Person.objects.create(name="Ann")
    options = {"proxy": True, "app_label": "catalogue", "apps": Apps()}
    members = {"Meta": type("Meta", (), options), "_updates_by": staticmethod(update)}
    bases = (orm.UpdatesBy, Person)
    model: Any = type("Updated", bases, {"__module__": __name__, **members})
    return model.objects.get()


@pytest.mark.django_db
def test_django_has_save_insert_a_row_by_another_function() -> None:
    calls: list[Any] = []

    def insert(instance: Any, manager: Any, using: str, fields: Any, returning: Any) -> Any:
        names = [[field.name for field in each] for each in (fields, returning)]
        calls.append((instance, manager, using, *names))
        return [(70,)]

    person = person_inserted_by(insert)
    person.save()

    assert calls == [
        (person, Person._base_manager, "default", ["name", "mentor"], ["id"]),
    ]
    assert (person.pk, person._state.adding) == (70, False)
    assert not Person.objects.exists()


@pytest.mark.django_db
def test_django_inserts_a_row_where_the_other_function_will_not() -> None:
    person = person_inserted_by(lambda *args: None)

    person.save()

    assert Person.objects.get().pk == person.pk


def person_inserted_by(insert: Any) -> Any:
    options = {"proxy": True, "app_label": "catalogue", "apps": Apps()}
    members = {"Meta": type("Meta", (), options), "_inserts_by": staticmethod(insert)}
    bases = (orm.InsertsBy, Person)
    model: Any = type("Inserted", bases, {"__module__": __name__, **members})
    return model(name="Ann")


@pytest.mark.django_db
def test_django_tells_the_statement_of_an_insert() -> None:
    fields = [Person._meta.get_field(name) for name in ("name", "mentor")]
    returning = [Person._meta.get_field("id")]
    person = Person(name="Ann")
    compiler = orm.insert_compiler(person, Person, "default", fields, returning)
    [(sql, params)] = compiler.as_sql()

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        [row] = cursor.fetchall()

    assert Person.objects.values_list("pk", "name", "mentor").get() == (*row, "Ann", None)


@pytest.mark.django_db
def test_django_tells_the_statement_of_an_update() -> None:
    person = Person.objects.create(name="Ann")
    name = Person._meta.get_field("name")
    query = orm.update_query(Person.objects.filter(pk=person.pk), [(name, None, "Bo")])
    sql, params = query.get_compiler(using="default").as_sql()

    with connection.cursor() as cursor:
        cursor.execute(sql, params)

    person.refresh_from_db()
    assert person.name == "Bo"
