import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any

import fastapi
import pytest
from django.core import checks
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import clear_url_caches, include, path, re_path, resolve
from django.views.decorators.csrf import csrf_exempt
from fastapi import Body, Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from pytest_django import Settings

from django_mullet import (
    APIRouter,
    Atomic,
    Create,
    DjangoMiddleware,
    DjangoRoute,
    ModelSchema,
    Patch,
    atomic,
    mount_django,
    retry_on_conflict,
)
from django_mullet.checks.project import check_urlconf
from django_mullet.routing.transaction import atomic_request
from django_mullet.urls import RoutePatterns, api_view
from tests.library.models import Book

knows_inclusions = pytest.mark.skipif(
    tuple(map(int, fastapi.__version__.split(".")[:2])) < (0, 143),
    reason="this FastAPI does not know where it includes a WebSocket",
)


class BookSchema(ModelSchema[Book]):
    title: str


class Shelf:
    class BookSchema(ModelSchema[Book]):
        price: int


class WithBook(BaseModel):
    first: BookSchema
    second: Shelf.BookSchema


app = FastAPI()
urlpatterns: list[Any] = []

Serve = Callable[[FastAPI], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Serve:
    """Make an application the project's."""

    def serve(served: FastAPI) -> None:
        monkeypatch.setattr(f"{__name__}.app", served)
        settings.ASGI_APPLICATION = f"{__name__}.app"

    return serve


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], str]:
    """Write a module for ASGI_APPLICATION to name; return the name of its `app`."""

    def write(source: str) -> str:
        (tmp_path / "checked_asgi.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "checked_asgi", raising=False)
        return "checked_asgi.app"

    return write


def run(check_id: str, tag: str = "mullet") -> list[CheckMessage]:
    return [message for message in checks.run_checks(tags=[tag]) if message.id == check_id]


# Settings


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"THREADS": 0}, "MULLET['THREADS'] must be a number above 0, not 0."),
        ([], "MULLET must be a dict, for example MULLET = {'THREADS': 40}."),
    ],
)
def test_mullet_E001_fires_when_a_setting_is_wrong(value: Any, message: str) -> None:
    with override_settings(MULLET=value):
        messages = run("mullet.E001")

    assert messages == [
        checks.Error(
            message,
            hint="Correct MULLET in the settings, or leave it out: every key has a default.",
            id="mullet.E001",
        )
    ]


@pytest.mark.parametrize("value", [{}, {"THREADS": 4}])
def test_mullet_E001_is_silent_when_the_settings_are_right(value: dict[str, Any]) -> None:
    with override_settings(MULLET=value):
        assert run("mullet.E001") == []


def test_mullet_E001_is_silent_when_nothing_is_set() -> None:
    assert run("mullet.E001") == []


@pytest.mark.parametrize("tag", ["mullet", "staticfiles"])
def test_mullet_E003_fires_when_staticfiles_comes_first(tag: str) -> None:
    with override_settings(INSTALLED_APPS=["django.contrib.staticfiles", "django_mullet"]):
        messages = run("mullet.E003", tag)

    assert messages == [
        checks.Error(
            "'django.contrib.staticfiles' stands before 'django_mullet' in INSTALLED_APPS: its "
            "'runserver' wins, which does not serve the FastAPI application.",
            hint="Move 'django_mullet' before 'django.contrib.staticfiles' in INSTALLED_APPS.",
            id="mullet.E003",
        )
    ]


@pytest.mark.parametrize(
    "installed",
    [
        ["django_mullet"],
        ["django_mullet", "django.contrib.staticfiles"],
        ["django_mullet.apps.MulletConfig", "django.contrib.staticfiles"],
    ],
)
def test_mullet_E003_is_silent_when_staticfiles_comes_later(installed: list[str]) -> None:
    with override_settings(INSTALLED_APPS=installed):
        assert run("mullet.E003") == []


# Databases


def use_databases(monkeypatch: pytest.MonkeyPatch, **databases: dict[str, Any]) -> None:
    default = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    settings = connections.configure_settings({"default": default, **databases})
    monkeypatch.setattr(connections, "settings", settings)


def test_mullet_W001_fires_for_every_server_that_is_connected_to_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = "django.db.backends.postgresql"
    use_databases(
        monkeypatch,
        main={"ENGINE": engine},
        replica={"ENGINE": engine, "CONN_MAX_AGE": 0, "OPTIONS": {"pool": False}},
    )

    messages = run("mullet.W001")

    assert messages == [
        checks.Warning(
            f"Database '{alias}' has CONN_MAX_AGE = 0: every request opens a new connection, TLS "
            "and authentication included, which costs about 8 ms on PostgreSQL.",
            hint=f'Write "CONN_MAX_AGE": None and "CONN_HEALTH_CHECKS": True in '
            f"DATABASES['{alias}'].",
            id="mullet.W001",
        )
        for alias in ("main", "replica")
    ]


@pytest.mark.parametrize(
    "database",
    [
        {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        {},  # no database
        {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None},
        {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 60},
        {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": True}},
    ],
)
def test_mullet_W001_is_silent_for_files_and_connections_that_stay(
    monkeypatch: pytest.MonkeyPatch, database: dict[str, Any]
) -> None:
    use_databases(monkeypatch, other=database)

    assert run("mullet.W001") == []


# The application


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "from django.urls import NoReverseMatch\nraise NoReverseMatch('item')",
            "NoReverseMatch: item",
        ),
        (
            "from django.db import OperationalError\nraise OperationalError('no such table: item')",
            "OperationalError: no such table: item",
        ),
    ],
)
def test_mullet_E002_fires_when_the_application_fails_to_import(
    module: Callable[[str], str], tmp_path: Path, source: str, reason: str
) -> None:
    with override_settings(ASGI_APPLICATION=module(source)):
        messages = run("mullet.E002")

    assert messages == [
        checks.Error(
            f"ASGI_APPLICATION = 'checked_asgi.app' could not be imported: {reason} "
            f"({tmp_path / 'checked_asgi.py'}, line 2)",
            hint="ASGI_APPLICATION must be the dotted path of a FastAPI instance. To see where "
            'its import fails, run: manage.py shell -c "import checked_asgi"',
            id="mullet.E002",
        )
    ]


def test_mullet_E002_fires_when_the_application_is_misconfigured() -> None:
    with override_settings(ASGI_APPLICATION="app"):
        messages = run("mullet.E002")

    assert messages == [
        checks.Error(
            "ASGI_APPLICATION = 'app' could not be imported: app doesn't look like a module path. "
            "It must be the dotted path of a FastAPI instance.",
            hint="ASGI_APPLICATION must be the dotted path of a FastAPI instance. To see where "
            'its import fails, run: manage.py shell -c "import app"',
            id="mullet.E002",
        )
    ]


def test_mullet_E002_fires_when_the_application_itself_is_given_for_its_path() -> None:
    with override_settings(ASGI_APPLICATION=app):
        messages = run("mullet.E002")

    [message] = messages
    assert message.msg == (
        f"ASGI_APPLICATION must be the dotted path of a FastAPI instance, not {app!r}: "
        'ASGI_APPLICATION = "myproject.asgi.app".'
    )


def test_mullet_E002_fires_when_the_path_is_written_as_for_a_server() -> None:
    with override_settings(ASGI_APPLICATION="tests.urls:app"):
        [message] = run("mullet.E002")

    assert message.msg == (
        "ASGI_APPLICATION = 'tests.urls:app' must have a dot where it has a colon: "
        "'tests.urls.app'."
    )
    assert 'manage.py shell -c "import tests.urls"' in str(message.hint)


@pytest.mark.django_db(databases=["default", "other"])  # whose features Django looks at
def test_mullet_E002_stops_a_command_without_a_traceback(module: Callable[[str], str]) -> None:
    with (
        override_settings(ASGI_APPLICATION=module("1 / 0")),
        pytest.raises(SystemCheckError, match=r"ZeroDivisionError: division by zero") as caught,
    ):
        call_command("check")

    assert "Traceback" not in str(caught.value)


def test_mullet_E002_is_silent_when_the_application_loads(serve: Serve) -> None:
    serve(FastAPI())

    assert run("mullet.E002") == []


def test_mullet_E005_fires_when_two_schemas_have_the_same_name(serve: Serve) -> None:
    router = APIRouter()

    @router.post("/")
    def post(body: Create[BookSchema]) -> WithBook: ...

    served = FastAPI()
    served.include_router(router)
    serve(served)

    assert run("mullet.E005") == [
        checks.Error(
            "'tests.checks.test_project.BookSchema' and "
            "'tests.checks.test_project.Shelf.BookSchema' have the "
            "same name in the OpenAPI document, 'Book'.",
            hint="Write 'model_config = ConfigDict(title=\"...\")' in "
            "'tests.checks.test_project.Shelf.BookSchema'.",
            id="mullet.E005",
        )
    ]


def test_mullet_E005_is_silent_when_names_differ(serve: Serve) -> None:
    router = APIRouter()

    @router.post("/")
    def post(body: Create[BookSchema]) -> BookSchema: ...

    served = FastAPI()
    served.include_router(router)
    serve(served)

    assert run("mullet.E005") == []


@pytest.mark.parametrize("unset", [None, ""])
@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("shop.settings", "shop"),
        ("config.settings.production", "config"),
        ("settings", "myproject"),
        (None, "myproject"),  # as after settings.configure()
    ],
)
def test_mullet_W005_fires_alone_when_no_application_is_named(
    unset: str | None, module: str | None, package: str
) -> None:
    with override_settings(ASGI_APPLICATION=unset, SETTINGS_MODULE=module):
        messages = checks.run_checks(tags=["mullet"])

    # But for what is wrong, on purpose, with schemas of other tests.
    assert [message for message in messages if message.id != "mullet.E004"] == [
        checks.Warning(
            "The setting 'ASGI_APPLICATION' is not set: 'reverse()', 'runserver' and the checks "
            "of routes do not find the FastAPI application.",
            hint=f'Write ASGI_APPLICATION = "{package}.asgi.app", the dotted path of the FastAPI '
            "instance.",
            id="mullet.W005",
        )
    ]


def test_mullet_W005_is_silent_when_an_application_is_named(serve: Serve) -> None:
    serve(FastAPI())

    assert run("mullet.W005") == []


def test_mullet_W006_fires_when_django_is_not_mounted(serve: Serve) -> None:
    serve(FastAPI())

    assert run("mullet.W006") == [
        checks.Warning(
            f"The FastAPI application '{__name__}.app' does not serve Django: the admin and every "
            "other Django view answer 404.",
            hint=f"Write 'mount_django(app)' at the end of '{__name__}', after 'from "
            "django_mullet import mount_django'.",
            id="mullet.W006",
        )
    ]


def test_mullet_W006_is_silent_when_django_is_mounted(serve: Serve) -> None:
    served = FastAPI()
    mount_django(served)
    serve(served)

    assert run("mullet.W006") == []


# The URLconf


@pytest.mark.parametrize("tag", ["mullet", "urls"])
def test_mullet_W004_fires_when_the_routes_are_not_included(
    serve: Serve, settings: Settings, tag: str
) -> None:
    serve(FastAPI())
    settings.ROOT_URLCONF = "tests.urls"

    assert run("mullet.W004", tag) == [
        checks.Warning(
            "ROOT_URLCONF = 'tests.urls' does not include 'django_mullet.urls': 'reverse()' and "
            "Django's test client do not find the FastAPI routes.",
            hint='Write \'path("", include("django_mullet.urls"))\' last in the urlpatterns of '
            "'tests.urls', but before a pattern that takes any address.",
            id="mullet.W004",
        )
    ]


@pytest.mark.parametrize(
    "patterns",
    [
        [path("", include("django_mullet.urls"))],
        [path("", include([path("", include("django_mullet.urls"))]))],
        [path("", include((RoutePatterns(), "api")))],
        [path("api/item", api_view)],
    ],
)
def test_mullet_W004_is_silent_when_the_routes_are_included(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, patterns: list[Any]
) -> None:
    monkeypatch.setattr(f"{__name__}.urlpatterns", patterns)
    settings.ROOT_URLCONF = __name__
    settings.ASGI_APPLICATION = "nowhere.asgi.app"  # which is not imported for it

    assert check_urlconf(None) == []


def page(request: HttpRequest, *captured: str, **named: str) -> HttpResponse:
    return HttpResponse("page")


API_PATTERN = path("", include("django_mullet.urls"))


@pytest.mark.parametrize(
    ("pattern", "route"),
    [
        (re_path(r".*", page), ".*"),
        (path("<path:rest>", page), "<path:rest>"),
        (
            path("<slug:locale>/", include([path("<slug:name>/", page)])),
            "<slug:locale>/<slug:name>/",
        ),
        (re_path(r"^((?:[\w\-]+/)*)$", page), r"^((?:[\w\-]+/)*)$"),
    ],
)
def test_mullet_W004_fires_when_a_pattern_before_the_routes_takes_their_addresses(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, settings: Settings, pattern: Any, route: str
) -> None:
    served = FastAPI()
    served.add_api_route("/api/books/", endpoint)
    served.add_api_route("/api/{name}/", endpoint)
    serve(served)
    settings.ROOT_URLCONF = __name__
    monkeypatch.setattr(f"{__name__}.urlpatterns", [pattern, API_PATTERN])

    assert run("mullet.W004") == [
        checks.Warning(
            f"The pattern '{route}' of '{__name__}.page' stands before 'django_mullet.urls' in "
            f"ROOT_URLCONF = '{__name__}' and takes '/api/books/', which is a FastAPI route: "
            "Django's test client and WSGI servers get the other view.",
            hint='Write \'path("", include("django_mullet.urls"))\' before that pattern.',
            id="mullet.W004",
        )
    ]
    assert Client().get("/api/books/").content == b"page"

    monkeypatch.setattr(f"{__name__}.urlpatterns", [API_PATTERN, pattern])
    clear_url_caches()

    assert run("mullet.W004") == []
    assert Client().get("/api/books/").content == b"null"


@pytest.mark.parametrize("convertor", ["", ":int", ":float", ":path", ":uuid"])
def test_mullet_W004_knows_an_address_of_every_kind_of_parameter(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, settings: Settings, convertor: str
) -> None:
    served = FastAPI()
    served.add_api_route(f"/api/{{key{convertor}}}", endpoint)
    served.websocket("/api/{key}")(endpoint)
    serve(served)
    settings.ROOT_URLCONF = __name__
    monkeypatch.setattr(f"{__name__}.urlpatterns", [path("api/<key>", page), API_PATTERN])

    [message] = run("mullet.W004")

    [address] = re.findall("takes '(/api/.+?)'", message.msg)
    assert Client().get(address).content == b"page"
    monkeypatch.setattr(f"{__name__}.urlpatterns", [API_PATTERN])
    clear_url_caches()
    assert resolve(address).func is api_view


def test_mullet_W004_is_silent_about_addresses_that_nobody_else_has(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, settings: Settings
) -> None:
    served = FastAPI()
    served.add_api_route("/api/books", endpoint)
    serve(served)
    settings.ROOT_URLCONF = __name__
    others = [re_path(r"^((?:[\w\-]+/)*)$", page), path("below/", include("django_mullet.urls"))]
    monkeypatch.setattr(f"{__name__}.urlpatterns", others)

    assert run("mullet.W004") == []


def test_mullet_W004_is_silent_without_a_urlconf(serve: Serve, settings: Settings) -> None:
    serve(FastAPI())
    del settings.ROOT_URLCONF

    assert run("mullet.W004") == []


def test_mullet_W004_is_silent_without_an_application() -> None:
    assert run("mullet.W004") == []


# Routes that are not Django's


def endpoint() -> None: ...


class Endpoint:
    def __call__(self) -> None: ...


def plain_route(route: str, name: str) -> CheckMessage:
    return checks.Warning(
        f"The route '{route}' of '{__name__}.{name}' does not run as a Django request: its "
        "queries run on several threads and connections, without ATOMIC_REQUESTS.",
        hint="Use 'from django_mullet import APIRouter' in place of FastAPI's. Put routes "
        "of the application itself, as of '@app.get', in such a router, or write 'from "
        "django_mullet import DjangoRoute' and 'app.router.route_class = DjangoRoute' "
        "before them.",
        id="mullet.W002",
    )


def test_mullet_W002_fires_for_every_route_of_fastapis_own_kind(serve: Serve) -> None:
    served, router = FastAPI(), fastapi.APIRouter()
    served.get("/on-app")(endpoint)
    router.api_route("/in-router", methods=["PUT", "GET"])(partial(endpoint))
    router.get("/instance")(Endpoint())
    ours = APIRouter()
    ours.include_router(router, prefix="/nested")
    served.include_router(ours, prefix="/api")
    serve(served)

    assert run("mullet.W002") == [
        plain_route("GET /on-app", "endpoint"),
        plain_route("GET,PUT /api/nested/in-router", "endpoint"),
        plain_route("GET /api/nested/instance", "Endpoint"),
    ]


def test_mullet_W002_is_silent_for_django_routes_and_what_is_no_endpoint(serve: Serve) -> None:
    served, router = FastAPI(), APIRouter()  # with FastAPI's own /docs and /openapi.json
    served.router.route_class = DjangoRoute
    served.get("/on-app")(endpoint)
    router.get("/in-router")(endpoint)
    router.websocket("/websocket")(endpoint)
    served.include_router(router)
    served.mount("/mounted", FastAPI())
    serve(served)

    assert run("mullet.W002") == []


def test_mullet_W002_names_websockets_that_are_fastapi_s_own(serve: Serve) -> None:
    served, plain = FastAPI(), fastapi.APIRouter()
    served.websocket("/on-app")(endpoint)
    plain.websocket("/in-router")(endpoint)
    served.include_router(plain, prefix="/api")
    serve(served)
    included = list(iter_route_contexts(served.routes))[-1].path or "/in-router"

    assert run("mullet.W002") == [
        checks.Warning(
            f"The WebSocket '{path}' of '{__name__}.endpoint' does not run in Django's "
            "workers: its queries run on unmanaged threads and connections.",
            hint="Use 'from django_mullet import APIRouter' in place of FastAPI's. Put "
            "WebSockets of the application itself, as of '@app.websocket', in such a router.",
            id="mullet.W002",
        )
        for path in ("/on-app", included)
    ]


# WebSockets and Django's middleware


def websockets_with_middleware() -> FastAPI:
    served = FastAPI()
    for prefix, inner, outer in [
        ("/own", True, None),
        ("/nested", None, ["tests.django_middleware.anything"]),
        ("/without", False, True),
        ("/none", None, None),
    ]:
        router, around = APIRouter(django_middleware=inner), APIRouter(django_middleware=outer)
        router.websocket("/ws")(endpoint)
        router.get("/route")(endpoint)
        around.include_router(router)
        served.include_router(around, prefix=prefix)
    return served


@knows_inclusions
def test_mullet_E007_names_websockets_around_which_middleware_is_to_run(serve: Serve) -> None:
    serve(websockets_with_middleware())

    assert run("mullet.E007") == [
        checks.Error(
            f"The WebSocket '{path}' has 'django_middleware', but no middleware runs around it.",
            hint="Put it in an 'APIRouter(django_middleware=False)', and write a 'def' dependency "
            "that finds what it needs, such as the user by the session's cookie: see "
            "'docs/streaming.md'.",
            id="mullet.E007",
        )
        for path in ("/own/ws", "/nested/ws")
    ]


@knows_inclusions
def test_mullet_E007_knows_of_the_middleware_of_an_application(serve: Serve) -> None:
    served, router = FastAPI(dependencies=[Depends(DjangoMiddleware())]), APIRouter()
    router.websocket("/ws")(endpoint)
    served.include_router(router)
    serve(served)

    assert [message.id for message in run("mullet.E007")] == ["mullet.E007"]


# Dependencies that commit late


def in_transaction() -> Iterator[None]:
    with transaction.atomic():
        yield


async def in_session(session: int = 0) -> AsyncIterator[int]:
    yield session
    await session.commit()  # type: ignore[attr-defined]


class InTransaction:
    def __call__(self) -> Iterator[None]:
        with transaction.atomic():
            yield


def in_transaction_of(atomic: Callable[[], Any]) -> Callable[[], Iterator[None]]:
    def dependency() -> Iterator[None]:
        with atomic():
            yield

    return dependency


def transactional(function: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
    @wraps(function)
    def wrapper() -> Iterator[None]:
        with transaction.atomic():
            yield from function()

    return wrapper


def resource() -> Iterator[None]:
    yield


def plainly(function: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
    @wraps(function)
    def wrapper() -> Iterator[None]:
        yield from function()

    return wrapper


def needs_transaction(_: None = Depends(in_transaction)) -> None: ...


def row() -> None:
    with transaction.atomic():
        pass


def late_commit(name: str, route: str = "GET /") -> CheckMessage:
    return checks.Warning(
        f"The route '{route}' depends on '{name}', which commits after the response is sent: the "
        "client may be told of success before, or without, the commit.",
        hint="Write 'Depends(dependency, scope=\"function\")' for it, or use 'Atomic' of "
        "'django_mullet'.",
        id="mullet.W003",
    )


@pytest.mark.parametrize(
    ("dependency", "name"),
    [
        (in_transaction, f"{__name__}.in_transaction"),
        (in_session, f"{__name__}.in_session"),
        (InTransaction(), f"{__name__}.InTransaction"),
        (partial(partial(in_session, session=1)), f"{__name__}.in_session"),
        (partial(InTransaction()), f"{__name__}.InTransaction"),
        (transactional(resource), f"{__name__}.resource"),
        (plainly(in_transaction), f"{__name__}.in_transaction"),
        (
            in_transaction_of(transaction.atomic),
            f"{__name__}.in_transaction_of.<locals>.dependency",
        ),
        (needs_transaction, f"{__name__}.in_transaction"),
        (atomic_request, "django_mullet.routing.transaction.atomic_request"),
    ],
)
@pytest.mark.parametrize("router_class", [APIRouter, fastapi.APIRouter])
def test_mullet_W003_fires_for_a_dependency_that_commits_after_the_response(
    serve: Serve,
    router_class: type[fastapi.APIRouter],
    dependency: Callable[..., Any],
    name: str,
) -> None:
    served, router = FastAPI(), router_class()
    router.get("/", dependencies=[Depends(dependency)])(endpoint)
    served.include_router(router)
    serve(served)

    assert run("mullet.W003") == [late_commit(name)]


def test_mullet_W003_fires_for_what_the_application_and_its_routers_add(serve: Serve) -> None:
    served, router = FastAPI(dependencies=[Depends(in_transaction)]), APIRouter()
    router.get("/items", dependencies=[Depends(in_transaction)])(endpoint)
    served.include_router(router, prefix="/api", dependencies=[Depends(in_session)])
    serve(served)

    assert run("mullet.W003") == [
        late_commit(f"{__name__}.in_transaction", "GET /api/items"),
        late_commit(f"{__name__}.in_session", "GET /api/items"),
    ]


def uses_atomic(_: Atomic) -> None: ...


@pytest.mark.parametrize(
    "dependency",
    [
        Depends(in_transaction, scope="function"),
        Depends(atomic_request, scope="function"),
        Depends(uses_atomic),
        Depends(plainly(resource)),
        Depends(row),
    ],
)
def test_mullet_W003_is_silent_for_what_commits_before_the_response(
    serve: Serve, dependency: Any
) -> None:
    served, router = FastAPI(), APIRouter(dependencies=[dependency])
    router.get("/")(endpoint)
    served.include_router(router)
    serve(served)

    assert run("mullet.W003") == []


def test_mullet_W003_is_silent_for_websockets_which_have_no_response(serve: Serve) -> None:
    served, router = FastAPI(), APIRouter()
    router.websocket("/", dependencies=[Depends(in_transaction)])(endpoint)
    served.include_router(router)
    serve(served)

    assert run("mullet.W003") == []


# Bodies


def as_shown(route: str = "POST /") -> checks.Warning:
    return checks.Warning(
        f"The route '{route}' takes 'BookSchema' as its body, which is what the API shows: "
        "read-only fields are asked of the client, and the defaults and limits of the model do "
        "not hold.",
        hint="Write 'Create[BookSchema]', 'Update[BookSchema]' or 'Patch[BookSchema]', of "
        "'django_mullet', for the body.",
        id="mullet.W007",
    )


class Order(BaseModel):
    books: list[BookSchema]


def of_a_schema(body: BookSchema) -> None: ...
def of_a_list(body: list[BookSchema]) -> None: ...
def of_one_of_two(body: Create[BookSchema], other: BookSchema) -> None: ...
def of_a_dependency(order: Annotated[None, Depends(of_a_schema)]) -> None: ...
def of_both(body: BookSchema, order: Annotated[None, Depends(of_a_schema)]) -> None: ...


@pytest.mark.parametrize(
    "endpoint", [of_a_schema, of_a_list, of_one_of_two, of_a_dependency, of_both]
)
def test_mullet_W007_fires_for_a_body_as_the_api_shows_it(
    serve: Serve, endpoint: Callable[..., Any]
) -> None:
    served, router = FastAPI(), APIRouter()
    router.post("/")(endpoint)
    served.include_router(router)
    serve(served)

    assert run("mullet.W007") == [as_shown()]


def of_create(body: Create[BookSchema]) -> None: ...
def of_patches(body: list[Patch[BookSchema]]) -> None: ...
def of_another_model(body: Order) -> None: ...
def of_no_model(body: Annotated[int, Body()]) -> BookSchema: ...  # type: ignore[empty-body]


@pytest.mark.parametrize("endpoint", [of_create, of_patches, of_another_model, of_no_model])
def test_mullet_W007_is_silent_for_every_other_body(
    serve: Serve, endpoint: Callable[..., Any]
) -> None:
    served, router = FastAPI(), APIRouter()
    router.post("/")(endpoint)
    served.include_router(router)
    serve(served)

    assert run("mullet.W007") == []


# Endpoints out of their worker


def in_threadpool(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def in_a_thread(*args: Any, **kwargs: Any) -> Any:
        return await run_in_threadpool(function, *args, **kwargs)

    return in_a_thread


def asynchronously(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return awaited


def synchronous() -> None: ...
async def asynchronous() -> None: ...
def rows() -> Iterator[int]:
    yield 1


def needs(dependency: Callable[..., Any]) -> Callable[..., Any]:
    def depending(_: Annotated[None, Depends(dependency)]) -> None: ...

    return depending


def out_of_worker(name: str) -> checks.Warning:
    return checks.Warning(
        f"The route 'POST /' runs '{name}', which is 'def', by a decorator that is 'async def': "
        "it may run in a thread and on a connection of its own, outside of the transaction of its "
        "request, and keep its rows when that fails.",
        hint="Write 'async def' and the asynchronous methods of the ORM. In a decorator of your "
        "own call the function by 'await sync_to_async(function)(...)' of 'asgiref.sync', which "
        "runs in the worker of the request, and silence the check.",
        id="mullet.W008",
    )


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        (in_threadpool(synchronous), "synchronous"),
        (partial(in_threadpool(synchronous)), "synchronous"),
        (in_threadpool(rows), "rows"),
        (needs(in_threadpool(synchronous)), "synchronous"),
        (synchronous, None),
        (asynchronous, None),
        (asynchronously(asynchronous), None),
        (asynchronously(asynchronously(asynchronous)), None),
        (partial(asynchronous), None),
        (rows, None),
        (retry_on_conflict()(atomic(synchronous)), None),
        (retry_on_conflict()(atomic(asynchronous)), None),
        (csrf_exempt(asynchronous), None),
    ],
)
def test_mullet_W008_fires_for_def_that_a_decorator_makes_asynchronous(
    serve: Serve, endpoint: Callable[..., Any], name: str | None
) -> None:
    served, router = FastAPI(), APIRouter()
    router.post("/")(endpoint)
    served.include_router(router)
    serve(served)

    assert run("mullet.W008") == ([out_of_worker(f"{__name__}.{name}")] if name else [])
