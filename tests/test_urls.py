import uuid
from collections.abc import Callable
from contextlib import closing, nullcontext
from io import BytesIO
from types import ModuleType
from typing import Any, cast
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.template import engines
from django.test import AsyncClient, Client, override_settings
from django.urls import NoReverseMatch, include, path, resolve, reverse
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from pytest_django import Settings
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send

from django_mullet import APIRouter
from django_mullet.urls import RoutePatterns, is_api_view
from tests.testapp.models import Author

pytestmark = pytest.mark.urls(__name__)

ID = uuid.UUID("0b5fcd5b-5d5e-4a5e-8f0e-5b4f6b2c7d1a")


class MonthConvertor(Convertor[tuple[int, int]]):
    regex = "[0-9]{4}-[0-9]{2}"

    def convert(self, value: str) -> tuple[int, int]:
        year, month = value.split("-")
        return int(year), int(month)

    def to_string(self, value: tuple[int, int]) -> str:
        return "{:04}-{:02}".format(*value)


register_url_convertor("month", MonthConvertor())

late_router = APIRouter()
router = APIRouter()


@router.get("/simulations/{simulation_id}/", name="simulation-get")
@router.get("/files/{file_path:path}", name="file")
@router.get("/numbers/{n:int}", name="number")
@router.get("/ratios/{ratio:float}", name="ratio")
@router.get("/ids/{identifier:uuid}/{n:int}", name="identifier")
@router.get("/months/{month:month}", name="month")
@router.get("/braces/{}/<b>/.*/$/{n:int}", name="literals")
@router.get("/100%/{n:int}", name="percent")
@router.get("/shared-name/second", name="shared-name")
@router.get("/shared-name/first", name="shared-name")  # decorators run from the bottom up
@router.get("/shared-name/{n:int}", name="shared-name")
@router.get("/echo/{anything:path}", name="echo")
@router.post("/echo/{anything:path}", name="echo-post")
async def echo(request: Request) -> dict[str, Any]:
    scope = request.scope
    keys = ("http_version", "method", "scheme", "path", "root_path", "client", "server", "type")
    return {
        **{key: scope[key] for key in keys},
        "raw_path": scope["raw_path"].decode(),
        "query_string": scope["query_string"].decode("latin-1"),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
        "body": (await request.body()).decode(),
        "params": {name: str(value) for name, value in request.path_params.items()},
    }


@router.get("/cookies")
async def cookies() -> Response:
    response = Response()
    response.set_cookie("plain", "1", max_age=60, domain="example.org", secure=True, httponly=True)
    response.set_cookie("quoted", 'a b; "c"', expires=3600, samesite="strict")
    response.headers.append("set-cookie", "rare=x=y; Path=/; Priority=High; Secure")
    response.headers.append("vary", "accept")
    response.headers.append("vary", "cookie")
    return response


@router.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(iter(["one ", "two ", "three"]), media_type="text/plain")


@router.get("/error")
async def error() -> None:
    raise LookupError("out of fish")


@router.get("/authors")
def authors() -> list[str]:
    return [author.name for author in Author.objects.all()]


@router.websocket("/websocket", name="websocket")
async def websocket(websocket: WebSocket) -> None: ...


class Headers:
    """A pure ASGI middleware that sends what a server must not, and waits for the client to go."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/raw"):
            await self.app(scope, receive, send)
            return
        headers = [(b"connection", b"close"), (b"x-name", b"value")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body"})
        messages = [await receive(), await receive()]
        gone.append([message["type"] for message in messages])


gone: list[list[str]] = []

guarded = APIRouter(django_middleware=True)


@guarded.post("/guarded/")
def guard() -> None: ...


app = FastAPI()
app.include_router(router, prefix="/api")
app.include_router(guarded, prefix="/api")
app.include_router(late_router, prefix="/late")
app.mount("/mounted", FastAPI(), name="mounted")
app.add_middleware(Headers)


def django_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Django")


urlpatterns = [
    path("django/", django_view, name="django-view"),
    path("", include("django_mullet.urls")),
]


@pytest.fixture(autouse=True)
def asgi_application(settings: Settings) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.app"


class TestReverse:
    @pytest.mark.parametrize(
        ("name", "kwargs", "url"),
        [
            ("simulation-get", {"simulation_id": "a b"}, "/api/simulations/a%20b/"),
            ("file", {"file_path": "a/b.txt"}, "/api/files/a/b.txt"),
            ("file", {"file_path": ""}, "/api/files/"),
            ("number", {"n": 5}, "/api/numbers/5"),
            ("number", {"n": "5"}, "/api/numbers/5"),
            ("ratio", {"ratio": 1.5}, "/api/ratios/1.5"),
            ("ratio", {"ratio": 2.0**-20}, "/api/ratios/0.00000095367431640625"),
            ("identifier", {"identifier": ID, "n": 1}, f"/api/ids/{ID}/1"),
            ("identifier", {"identifier": str(ID).upper(), "n": 1}, f"/api/ids/{ID}/1".upper()),
            ("month", {"month": (2026, 11)}, "/api/months/2026-11"),
            ("literals", {"n": 1}, "/api/braces/%7B%7D/%3Cb%3E/.*/$/1"),
            ("echo", {"anything": "x"}, "/api/echo/x"),
            ("echo-post", {"anything": "x"}, "/api/echo/x"),
            ("openapi", {}, "/openapi.json"),
            ("swagger_ui_html", {}, "/docs"),
            ("django-view", {}, "/django/"),
        ],
    )
    def test_knows_the_names_of_both_worlds(
        self, name: str, kwargs: dict[str, Any], url: str
    ) -> None:
        assert reverse(name, kwargs=kwargs).lower() == url.lower()

    def test_takes_positional_arguments(self) -> None:
        assert reverse("identifier", args=[ID, 3]) == f"/api/ids/{ID}/3"

    def test_works_in_templates(self) -> None:
        template = engines["django"].from_string("{% url 'number' n=3 %}")

        assert template.render() == "/api/numbers/3"

    def test_agrees_with_fastapi_on_a_name_that_two_routes_share(self) -> None:
        assert reverse("shared-name") == app.url_path_for("shared-name") == "/api/shared-name/first"
        assert reverse("shared-name", args=[7]) == app.url_path_for("shared-name", n=7)

    @pytest.mark.parametrize(
        ("name", "kwargs"),
        [
            ("number", {"n": "five"}),
            ("number", {"n": -5}),
            ("number", {"n": None}),
            ("number", {"m": 5}),
            ("simulation-get", {"simulation_id": "a/b"}),
            ("simulation-get", {"simulation_id": ""}),
            ("month", {"month": object()}),
            ("percent", {"n": 5}),
            ("websocket", {}),
            ("mounted", {"path": "/"}),
        ],
    )
    def test_finds_nothing_where_no_route_fits(self, name: str, kwargs: dict[str, Any]) -> None:
        with pytest.raises(NoReverseMatch):
            reverse(name, kwargs=kwargs)


class TestResolve:
    def test_tells_fastapi_routes_from_django_views(self) -> None:
        assert is_api_view(resolve("/api/numbers/5").func)
        assert is_api_view(resolve("/api/100%/5").func)
        assert is_api_view(resolve("/api/braces/{}/<b>/.*/$/5").func)
        assert not is_api_view(resolve("/django/").func)

    def test_gives_the_name_of_the_route(self) -> None:
        assert resolve("/api/numbers/5").view_name == "number"


class TestRoutePatterns:
    def test_are_one_sequence_per_application(self) -> None:
        patterns = RoutePatterns()

        names = [pattern.name for pattern in patterns]
        assert len(patterns) == len(names)
        assert [pattern.name for pattern in reversed(patterns)] == names[::-1]
        assert [pattern.name for pattern in patterns[:2]] == names[:2]
        assert patterns[0].name == "openapi"

    def test_are_included_without_importing_the_application(self, settings: Settings) -> None:
        settings.ASGI_APPLICATION = "not.imported.yet"

        path("", include("django_mullet.urls"))

    def test_follow_the_application(self) -> None:
        other = FastAPI()
        other.get("/first", name="first")(echo)
        globals()["other"] = other

        with override_settings(ASGI_APPLICATION=f"{__name__}.other"):
            resolve("/first")
            assert reverse("first") == "/first"

            other.get("/second", name="second")(echo)
            assert is_api_view(resolve("/second").func)
            assert reverse("second") == "/second"

        resolve("/api/numbers/5")
        assert reverse("number", args=[5]) == "/api/numbers/5"


class TestRequest:
    def test_arrives_as_a_server_would_tell_it(self, client: Client) -> None:
        client.cookies["theme"] = "dark"

        response = client.get("/api/echo/caf%C3%A9?q=1&q=%C3%A9", headers={"X-Api-Key": "secret"})

        assert response.json() == {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/echo/café",
            "raw_path": "/api/echo/caf%C3%A9",
            "root_path": "",
            "query_string": "q=1&q=%C3%A9",
            "client": ["127.0.0.1", 0],
            "server": ["testserver", 80],
            "headers": [
                ["host", "testserver"],
                ["cookie", "theme=dark"],
                ["x-api-key", "secret"],
            ],
            "body": "",
            "params": {"anything": "café"},
        }

    def test_arrives_with_its_body(self, client: Client) -> None:
        response = client.post("/api/echo/", {"name": "goat"}, content_type="application/json")

        assert response.json()["body"] == '{"name": "goat"}'
        headers = dict(response.json()["headers"])
        assert headers["content-type"] == "application/json"
        assert headers["content-length"] == "16"

    def test_may_have_a_larger_body_than_django_keeps_in_memory(
        self, client: Client, settings: Settings
    ) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

        response = client.post("/api/echo/", "x" * 100_000, content_type="text/plain")

        assert len(response.json()["body"]) == 100_000

    def test_keeps_the_script_name_apart(self, client: Client) -> None:
        response = client.get("/api/numbers/1", SCRIPT_NAME="/site/", secure=True)

        assert response.json()["path"] == "/site/api/numbers/1"
        assert response.json()["root_path"] == "/site"
        assert response.json()["scheme"] == "https"
        assert response.json()["params"] == {"n": "1"}

    def test_may_come_from_a_unix_socket(self, client: Client) -> None:
        response = client.get(
            "/api/numbers/1", REMOTE_ADDR="", SERVER_PORT="", HTTP_HOST="example.org"
        )

        assert response.json()["client"] is None
        assert response.json()["server"] == ["testserver", None]
        assert dict(response.json()["headers"])["host"] == "example.org"

    def test_loses_no_body_silently_to_a_middleware(
        self, client: Client, settings: Settings
    ) -> None:
        settings.MIDDLEWARE = [f"{__name__}.read_post"]

        with pytest.raises(RawPostDataException) as caught:
            client.post("/api/echo/", {"name": "goat"})

        assert str(caught.value) == (
            "The body of this request was read before the FastAPI application got it: Django's "
            "middleware must not use 'request.POST' or 'request.FILES'."
        )

    def test_passes_djangos_csrf_and_login_checks(self, settings: Settings) -> None:
        settings.MIDDLEWARE = [
            *settings.MIDDLEWARE,
            "django.contrib.auth.middleware.LoginRequiredMiddleware",
        ]

        response = Client(enforce_csrf_checks=True).post("/api/echo/")

        assert response.status_code == 200

    @pytest.mark.parametrize(("enforce", "status"), [(True, 403), (False, 200)])
    def test_needs_the_csrf_token_behind_middleware_if_the_client_says_so(
        self, enforce: bool, status: int
    ) -> None:
        response = Client(enforce_csrf_checks=enforce).post("/api/guarded/")

        assert response.status_code == status

    @pytest.mark.django_db
    def test_is_not_refused_under_atomic_requests(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)

        assert client.get("/api/numbers/1").status_code == 200

    def test_of_another_method_is_fastapis_to_refuse(self, client: Client) -> None:
        response = client.put("/api/numbers/1")

        assert response.status_code == 405
        assert response.json() == {"detail": "Method Not Allowed"}

    @pytest.mark.django_db
    def test_sees_what_the_test_has_written(self, client: Client) -> None:
        Author.objects.create(name="Le Guin")

        assert client.get("/api/authors").json() == ["Le Guin"]

    def test_may_come_from_the_async_client(self, async_client: AsyncClient) -> None:
        post = async_to_sync(async_client.post)

        response = post(
            "/api/echo/x?q=é", "body", content_type="text/plain", headers={"X-Api-Key": "secret"}
        )

        echoed = response.json()
        assert (echoed["method"], echoed["path"], echoed["body"]) == ("POST", "/api/echo/x", "body")
        assert dict(echoed["headers"])["x-api-key"] == "secret"
        assert echoed["query_string"].encode("latin-1").decode() == "q=é"

    @pytest.mark.django_db(transaction=True)
    def test_may_come_from_a_wsgi_server(self) -> None:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/api/echo/x",
            "QUERY_STRING": "",
            "CONTENT_TYPE": "text/plain",
            "CONTENT_LENGTH": "4",
            "wsgi.input": BytesIO(b"body"),
        }
        setup_testing_defaults(environ)
        statuses: list[str] = []

        def start_response(status: str, *args: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return BytesIO().write

        with closing(
            cast("Any", validator(get_wsgi_application())(environ, start_response))
        ) as parts:
            body = b"".join(parts)

        assert statuses == ["200 OK"]
        assert b'"body":"body"' in body


class TestResponse:
    def test_keeps_every_cookie_and_its_attributes(self, client: Client) -> None:
        response = client.get("/api/cookies")

        plain, quoted, rare = (response.cookies[name] for name in ("plain", "quoted", "rare"))
        assert (plain.value, plain["max-age"], plain["domain"]) == ("1", "60", "example.org")
        assert plain["secure"] is plain["httponly"] is True
        assert plain["samesite"] == "lax"
        assert quoted.value == 'a b; "c"'
        assert quoted["samesite"] == "strict"
        assert quoted["expires"].endswith("GMT")
        assert rare.OutputString() == "rare=x=y; Path=/; Secure"

    def test_joins_a_repeated_header(self, client: Client) -> None:
        response = client.get("/api/cookies")

        assert response["Vary"].startswith("accept, cookie")

    def test_is_complete_even_if_it_is_streamed(self, client: Client) -> None:
        response = client.get("/api/stream")

        assert response.content == b"one two three"
        assert response["Content-Type"] == "text/plain; charset=utf-8"

    def test_has_the_headers_that_the_application_sent_and_no_others_of_its_own(
        self, client: Client
    ) -> None:
        response = client.get("/api/echo/raw")

        assert response["X-Name"] == "value"
        assert "Content-Type" not in response
        assert response.content == b"a"

    def test_has_no_headers_of_the_connection(self, client: Client) -> None:
        response = client.get("/api/echo/raw")

        assert "Connection" not in response

    def test_is_followed_by_the_end_of_the_connection(self, client: Client) -> None:
        gone.clear()

        client.get("/api/echo/raw")

        assert gone == [["http.request", "http.disconnect"]]

    def test_to_an_error_is_the_error_itself(self, client: Client) -> None:
        with pytest.raises(LookupError, match="out of fish"):
            client.get("/api/error")

    def test_to_an_error_is_djangos_where_the_client_wants_it(self, client: Client) -> None:
        client.raise_request_exception = False

        assert client.get("/api/error").status_code == 500


def read_post(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        bool(request.POST)
        response: HttpResponse = get_response(request)
        return response

    return middleware


@pytest.mark.django_db(databases=["default", "other"])  # whose features Django looks at
@pytest.mark.parametrize("application", ["tests.nowhere.app", ""])
def test_check_reports_an_application_that_cannot_be_loaded(
    settings: Settings, application: str
) -> None:
    urlconf = ModuleType("urlconf_of_a_broken_application")
    urlconf.urlpatterns = [path("", include("django_mullet.urls"))]  # type: ignore[attr-defined]
    settings.ASGI_APPLICATION = application
    settings.ROOT_URLCONF = urlconf
    expected = (
        pytest.raises(SystemCheckError, match=r"mullet\.E002") if application else nullcontext()
    )

    with expected:
        call_command("check")

    with pytest.raises(ImproperlyConfigured):
        reverse("anything")
    with pytest.raises(ImproperlyConfigured):
        resolve("/anything/")
