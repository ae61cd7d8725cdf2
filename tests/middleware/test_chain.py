import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import modify_settings, override_settings
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from fastapi import (
    BackgroundTasks,
    Depends,
    FastAPI,
    File,
    Form,
    HTTPException,
    Request,
    Response,
    UploadFile,
)
from fastapi.exceptions import FastAPIError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from django_mullet import APIClient, APIRouter, DjangoMiddleware, DjangoRequest, DjangoRoute
from django_mullet.execution.handoff import in_worker
from tests import django_middleware
from tests.django_middleware import noted, variable

pytestmark = pytest.mark.django_db(transaction=True)

GZIP = "django.middleware.gzip.GZipMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
JSON = {"content-type": "application/json"}
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    noted.clear()


def named(*names: str) -> list[str]:
    """Return dotted paths; a name without a dot is one of the tests' own."""
    return [name if "." in name else f"tests.django_middleware.{name}" for name in names]


def client(router: APIRouter, **options: Any) -> APIClient:
    app = FastAPI()
    app.include_router(router)

    @app.exception_handler(KeyError)
    async def handle_key_error(request: Request, error: KeyError) -> Response:
        return JSONResponse({"key": str(error), "in": django_middleware.here()}, 500)

    @app.exception_handler(IndexError)
    def handle_index_error(request: Request, error: IndexError) -> Response:
        return JSONResponse({"in": django_middleware.here()}, 400)

    return APIClient(app, base_url="http://testserver", **options)


def everything(*names: str, **options: Any) -> APIClient:
    """Return a client of routes of every kind, with middleware around them."""
    router = APIRouter(django_middleware=named(*names))

    @router.get("/def/{number}")
    def sync(number: int) -> dict[str, str]:
        noted.append(f"def {django_middleware.here()}")
        seen = variable.get()
        variable.set("endpoint")
        return {"seen": seen, "text": "x" * 300}

    @router.get("/async/{number}")
    async def asynchronous(number: int) -> dict[str, str]:
        noted.append(f"async {django_middleware.here()}")
        seen = variable.get()
        variable.set("endpoint")
        return {"seen": seen, "text": "x" * 300}

    async def wait() -> str:
        return django_middleware.here()

    @router.get("/waiting/{number}")
    def waiting(number: int, waited: Annotated[str, Depends(wait)]) -> dict[str, str]:
        noted.append(f"waiting {waited} {django_middleware.here()}")
        seen = variable.get()
        variable.set("endpoint")
        return {"seen": seen, "text": "x" * 300}

    @router.get("/raise/{name}")
    def fail(name: str) -> None:
        errors = {
            "http": HTTPException(404, "no such thing"),
            "key": KeyError("k"),
            "index": IndexError(),
            "os": OSError("unhandled"),
        }
        raise errors[name]

    @router.get("/async-raise/{name}")
    async def async_fail(name: str) -> None:
        fail(name)

    return client(router, **options)


PATHS = ["/def/7", "/async/7", "/waiting/7"]


# The chain


@pytest.mark.parametrize("path", PATHS)
def test_middleware_with_phases_runs_around_the_endpoint(path: str) -> None:
    answer = everything("Phases").get(path)

    assert answer.json()["seen"] == "middleware"
    assert answer.headers["x-phases"] == "endpoint"
    assert noted[0] == "request worker"
    assert noted[1].startswith("view ")
    assert noted[1].endswith(" () {'number': '7'}")
    assert noted[3] == "response 200 worker"


@pytest.mark.parametrize("path", PATHS)
def test_a_function_runs_around_the_endpoint(path: str) -> None:
    answer = everything("function", "Phases", "other_function").get(path)

    assert answer.json()["seen"] == "middleware"
    assert answer.headers["x-function"] == "endpoint"
    assert (noted[0], noted[-3:]) == (
        "before worker",
        ["finally", "response 200 worker", "after worker"],
    )


def test_an_endpoint_runs_where_it_would_without_middleware() -> None:
    api = everything("function", "Phases")

    for path in PATHS:
        api.get(path)

    assert [line for line in noted if line.startswith(("def", "async", "waiting"))] == [
        "def worker",
        "async loop",
        "waiting loop worker",
    ]


def test_what_can_be_asynchronous_is_if_the_route_is() -> None:
    api = everything("either")

    api.get("/def/1")
    api.get("/async/1")

    assert noted == [
        "sync before worker",
        "def worker",
        "sync after worker",
        "async before loop",
        "async loop",
        "async after loop",
    ]


@pytest.mark.parametrize("path", PATHS)
def test_asynchronous_middleware_runs_around_every_endpoint(path: str) -> None:
    answer = everything("function", "AsyncOnly", "other_function", "either").get(path)

    assert answer.headers["x-async"] == "loop"
    assert "async view loop" in noted


@pytest.mark.django_db(transaction=True)
def test_asynchronous_middleware_has_the_worker_of_a_synchronous_endpoint() -> None:
    router = APIRouter(django_middleware=named("thread"))

    @router.get("/")
    def root() -> str:
        User.objects.exists()
        return threading.current_thread().name

    answer = client(router).get("/")

    assert answer.headers["x-is-kept"] == "True"
    assert answer.headers["x-thread"] == answer.json()


@pytest.mark.parametrize("path", PATHS)
def test_phases_inside_of_asynchronous_middleware_run_in_the_worker(path: str) -> None:
    everything("AsyncOnly", "Phases").get(path)

    assert (noted[0], noted[-1]) == ("request worker", "response 200 worker")


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_what_a_test_s_transaction_holds_is_there_on_each_side(path: str) -> None:
    User.objects.create_user("anna")

    assert everything("count_users", "function").get(path).headers["x-users"] == "1 1"


@pytest.mark.parametrize("path", PATHS)
def test_a_mixin_with_a_call_of_its_own_is_called(path: str) -> None:
    assert everything("OwnCall").get(path).headers["x-own"] == "worker"


def test_middleware_that_is_not_used_is_left_out() -> None:
    assert everything("not_used", "Phases").get("/def/1").headers["x-phases"] == "endpoint"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "returns_none",
            "Middleware factory 'tests.django_middleware.returns_none' returned None.",
        ),
        (
            "neither",
            (
                "Middleware 'tests.django_middleware.neither' must have at least one of "
                "sync_capable "
                "and async_capable set to True."
            ),
        ),
    ],
)
def test_wrong_middleware_is_reported(name: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        everything(name).get("/def/1")

    assert str(caught.value) == message


def test_one_path_is_no_list() -> None:
    with pytest.raises(TypeError) as caught:
        APIRouter(django_middleware=GZIP)

    assert str(caught.value) == (
        "'django_middleware' must be True, False or a list of dotted paths, not "
        f"'{GZIP}': write ['{GZIP}']."
    )


# Errors


def test_the_application_answers_inside_of_the_middleware() -> None:
    api = everything("Phases", "function")

    for path, status in [("http", 404), ("key", 500), ("index", 400)]:
        for prefix in ("/raise/", "/async-raise/"):
            answer = api.get(prefix + path)
            assert answer.status_code == status
            assert answer.headers["x-phases"]
            assert answer.headers["x-function"]

    assert api.get("/def/nonsense").status_code == 422
    assert "x-phases" in api.get("/def/nonsense").headers
    assert not [line for line in noted if line.startswith("exception")]


def test_an_exception_handler_runs_where_it_should() -> None:
    api = everything("Phases")

    assert api.get("/raise/key").json()["in"] == "loop"
    assert api.get("/raise/index").json()["in"] == "worker"


@pytest.mark.parametrize("prefix", ["/raise/", "/async-raise/"])
def test_an_unhandled_exception_goes_through_the_middleware_and_out(prefix: str) -> None:
    with pytest.raises(OSError, match="unhandled"):
        everything("Phases", "function").get(f"{prefix}os")

    assert "exception OSError" in noted
    assert noted[-1] == "response 500 worker"


def test_process_exception_may_answer() -> None:
    answer = everything("Phases", "Rescue").get("/raise/os")

    assert (answer.status_code, answer.text) == (299, "rescued OSError")
    assert answer.headers["x-phases"]


def test_middleware_may_replace_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    answer = everything("Replace").get("/raise/os")

    assert (answer.status_code, answer.text) == (200, "replaced")
    assert "Answered by middleware: " in caplog.text


@pytest.mark.parametrize("header", ["X-Before", "X-View", "X-After"])
def test_what_middleware_raises_is_answered(header: str) -> None:
    api = everything("Phases", "Raising", raise_server_exceptions=False)

    answers = [
        api.get("/def/1", headers={header: error}) for error in ("404", "403", "http", "error")
    ]

    assert [answer.status_code for answer in answers] == [404, 403, 409, 500]
    assert all("x-phases" in answer.headers for answer in answers[:3])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("name", "place"), [("raising_function", "worker"), ("raising_coroutine", "loop")]
)
def test_what_a_function_raises_is_answered(name: str, place: str, path: str) -> None:
    answer = everything("Phases", name).get(path)

    assert (answer.status_code, answer.json()) == (409, {"detail": f"conflict {place}"})
    assert "x-phases" in answer.headers


def test_the_application_s_handler_of_a_status_answers() -> None:
    api = everything("Phases")

    @cast("FastAPI", api.app).exception_handler(404)
    def handle(request: Request, error: HTTPException) -> Response:
        return JSONResponse({"own": error.detail}, 404)

    answer = api.get("/raise/http")

    assert answer.json() == {"own": "no such thing"}
    assert "x-phases" in answer.headers


def test_a_dependency_sees_the_exception_before_it_is_answered() -> None:
    router = APIRouter(django_middleware=named("Phases"))

    def note() -> Iterator[None]:
        try:
            yield
        except HTTPException:
            noted.append("dependency")
            raise
        noted.append("left")

    @router.get("/refuse")
    def refuse(_: Annotated[None, Depends(note)]) -> None:
        raise HTTPException(409)

    @router.get("/pass")
    def passes(_: Annotated[None, Depends(note)]) -> None: ...

    api = client(router)

    assert api.get("/refuse").status_code == 409
    assert noted[-2:] == ["dependency", "response 409 worker"]
    assert api.get("/pass").status_code == 200
    assert noted[-1] == "left"


@pytest.mark.parametrize("path", ["/def", "/async"])
def test_an_asynchronous_dependency_sees_the_exception_on_the_loop(path: str) -> None:
    router = APIRouter(django_middleware=named("Phases"))

    async def note() -> AsyncIterator[None]:
        try:
            yield
        except HTTPException:
            noted.append(f"dependency {django_middleware.here()}")
            raise

    @router.get("/def")
    def refuse(_: Annotated[None, Depends(note)]) -> None:
        raise HTTPException(409)

    @router.get("/async")
    async def async_refuse(_: Annotated[None, Depends(note)]) -> None:
        raise HTTPException(409)

    assert client(router).get(path).status_code == 409
    assert noted[-2:] == ["dependency loop", "response 409 worker"]


@pytest.mark.parametrize("names", [(), ("Phases",)])
def test_a_dependency_must_not_keep_an_exception(names: tuple[str, ...]) -> None:
    router = APIRouter(django_middleware=named(*names))

    def keep() -> Iterator[None]:
        with suppress(LookupError):
            yield

    @router.get("/")
    def fail(_: Annotated[None, Depends(keep)]) -> None:
        raise LookupError

    with pytest.raises(FastAPIError, match="dependency with"):
        client(router).get("/")


def test_a_request_that_django_cannot_read_is_a_400() -> None:
    api = everything("Phases")

    answer = api.get("/def/1", headers={"content-type": "text/plain; x*=nonsense''%41"})

    assert (answer.status_code, noted) == (400, [])


def test_a_query_that_is_no_utf_8_is_a_400() -> None:
    app = everything("Phases").app

    async def with_query(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "query_string": b"q=\xff"}, receive, send)

    assert (APIClient(with_query).get("/def/1").status_code, noted) == (400, [])


# Responses


@pytest.mark.parametrize("path", PATHS)
def test_middleware_may_answer_itself(path: str) -> None:
    answer = everything("Phases", "ShortCircuit").get(path)

    assert (answer.status_code, answer.text) == (418, "short")
    assert answer.cookies["made"] == "here"
    assert answer.headers["content-length"] == "5"
    assert answer.headers["x-phases"]
    assert noted == ["request worker", "response 418 worker"]


def test_middleware_may_answer_with_a_file_or_a_stream() -> None:
    assert (
        everything("ShortFile").get("/def/1").text == Path(django_middleware.__file__).read_text()
    )
    assert everything("Streams").get("/async/1").text == "ab"
    assert everything("ShortView").get("/def/1").text == "rendered GET"


def responses(*names: str) -> APIClient:  # noqa: C901 - one route each
    router = APIRouter(django_middleware=named(*names))

    @router.get("/headers")
    def headers(tasks: BackgroundTasks) -> Response:
        tasks.add_task(noted.append, "task")
        response = JSONResponse({"a": 1}, background=tasks)
        for cookie in ("deleted", "harden", "kept"):
            response.set_cookie(cookie, "1")
        response.set_cookie("kept", "2", path="/other")
        response.headers.append("set-cookie", "no cookie at all")
        response.headers.append("x-delete", "1")
        response.headers.append("x-change", "1")
        response.headers.append("link", "</a>")
        response.headers.append("link", "</b>")
        response.headers.append("link", "</c>")
        return response

    @router.get("/empty", status_code=204)
    def empty() -> None: ...

    @router.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"] * 200))

    @router.get("/async-stream")
    async def async_stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            for piece in ["a", "b"] * 200:
                yield piece

        return StreamingResponse(pieces())

    @router.get("/file")
    def file() -> FileResponse:
        return FileResponse(__file__)

    class Own(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await Response(b"own", headers=dict(self.headers))(scope, receive, send)

    @router.get("/own")
    def own() -> Response:
        return Own(b"own")

    @router.get("/long")
    def long() -> str:
        return "x" * 1000

    @router.head("/head")
    def head() -> Response:
        return Response(headers={"content-length": "1234"})

    return client(router)


def test_headers_and_cookies_keep_their_number() -> None:
    answer = responses("Headers").get("/headers")

    raw = answer.headers.multi_items()
    assert [value for name, value in raw if name == "link"] == ["</a>", "</b>", "</c>"]
    assert [value for name, value in raw if name == "set-cookie"] == [
        "harden=1; Path=/; SameSite=lax; Secure",
        "kept=1; Path=/; SameSite=lax",
        "kept=2; Path=/other; SameSite=lax",
        "no cookie at all",
    ]
    assert "x-delete" not in answer.headers
    assert answer.headers["x-change"] == "changed"
    assert noted == ["task"]


def test_a_response_without_a_body_has_no_length() -> None:
    answer = responses(COMMON).get("/empty")

    assert answer.status_code == 204
    assert "content-length" not in answer.headers
    assert responses(COMMON).head("/head").headers["content-length"] == "1234"


def test_middleware_changes_every_body() -> None:
    api = responses("Upper")

    assert api.get("/long").text == f'"{"X" * 1000}"!'
    assert api.get("/long").headers["content-length"] == "1003"
    assert api.get("/stream").text == "AB" * 200
    assert api.get("/async-stream").text == "AB" * 200
    assert api.get("/file").text == Path(__file__).read_text().upper()


def test_a_response_that_sends_itself_keeps_its_body() -> None:
    answer = responses("Upper").get("/own")

    assert answer.text == "own"
    assert "content-encoding" not in answer.headers


def test_a_stream_that_nobody_changes_is_fastapi_s() -> None:
    api = responses("Phases")

    assert api.get("/stream").text == api.get("/async-stream").text == "ab" * 200
    assert api.get("/file", headers={"range": "bytes=1-3"}).text == Path(__file__).read_text()[1:4]
    assert api.get("/own").text == "own"


def test_gzip_and_conditional_get() -> None:
    api = responses(GZIP, CONDITIONAL)

    answer = api.get("/long")

    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 200
    assert answer.text == f'"{"x" * 1000}"'
    etag = {"if-none-match": answer.headers["etag"]}
    assert api.get("/long", headers=etag).status_code == 304
    for path in ("/stream", "/async-stream", "/file"):
        assert api.get(path).headers["content-encoding"] == "gzip"


# Bodies


def bodies(*names: str) -> APIClient:
    router = APIRouter(django_middleware=named(*names))

    @router.post("/json")
    def json(item: dict[str, int]) -> dict[str, int]:
        return item

    @router.post("/raw")
    async def raw(request: Request) -> str:
        return (await request.body()).decode()

    @router.post("/consumed")
    async def consumed(request: Request) -> str:
        return "".join([piece.decode() async for piece in request.stream()])

    @router.post("/form")
    def form(
        request: DjangoRequest, name: Annotated[str, Form()], file: Annotated[UploadFile, File()]
    ) -> list[Any]:
        django = request.FILES["file"].read().decode()
        return [name, file.file.read().decode(), request.POST["name"], django]

    @router.post("/connected")
    async def connected(request: Request, name: Annotated[str, Form()]) -> list[Any]:
        return [name, await request.is_disconnected()]

    @router.post("/thread")
    async def thread(request: DjangoRequest) -> str:
        return (await asyncio.to_thread(lambda: request.body)).decode()

    @router.get("/async-django")
    @router.post("/async-django")
    async def read_in_the_loop(request: DjangoRequest) -> str:
        return request.body.decode()

    return client(router)


@pytest.mark.parametrize("path", ["/json", "/raw"])
@pytest.mark.parametrize("header", ["X-Before", "X-After"])
def test_both_have_the_body(path: str, header: str) -> None:
    answer = bodies("ReadBody", "function").post(
        path, content='{"a": 1}', headers={header: "1", "content-type": "application/json"}
    )

    assert answer.json() in ({"a": 1}, '{"a": 1}')
    assert '{"a": 1}' in noted


def test_a_body_that_was_consumed_is_gone() -> None:
    bodies("ReadBody").post("/consumed", content="x", headers={"X-After": "1"})

    assert noted == ["Stream consumed"]


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_both_have_a_form_with_a_file(size: int) -> None:
    answer = bodies("ReadBody").post(
        "/form", data={"name": "n"}, files={"file": ("f.txt", b"x" * size)}
    )

    assert answer.json() == ["n", "x" * size, "n", "x" * size]


def test_the_body_can_be_read_in_pieces() -> None:
    answer = bodies("ReadPieces").post("/json", content='{"a":\n1\n}', headers=JSON)

    assert noted == ['{"', 'a":\n', "1\n", "}"]
    assert answer.json() == {"a": 1}


def test_a_client_that_left_within_a_form_is_noticed_on_both_sides() -> None:
    app = bodies("read_form").app

    async def leaving(scope: Any, receive: Any, send: Any) -> None:
        messages: list[Any] = [
            {"type": "http.request", "body": b"name=n&file=", "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def leave() -> Any:
            return messages.pop(0)

        await app(scope, leave, send)

    answer = APIClient(leaving).post("/form", data={"name": "ignored"})

    assert noted == ["UnreadablePostError: The client has gone."]
    assert answer.status_code == 400


def test_a_client_that_waits_is_not_taken_for_gone() -> None:
    answer = bodies("Phases").post("/connected", data={"name": "n"})

    assert answer.json() == ["n", False]


def test_a_thread_of_somebody_s_cannot_wait_for_the_body() -> None:
    with pytest.raises(RuntimeError) as caught:
        bodies("Phases").post("/thread", content="x")

    assert str(caught.value) == (
        "Only code that a request runs in its worker can wait for the request's event loop."
    )


def test_the_event_loop_cannot_wait_for_the_body() -> None:
    with pytest.raises(Exception, match="cannot read the body in the event loop"):
        bodies("ReadBody").post("/async-django", content="x")


def test_the_event_loop_can_read_the_body_that_there_is_not() -> None:
    assert bodies("AsyncOnly").get("/async-django").json() == ""


# Django's own


@pytest.fixture
def site() -> APIClient:
    router = APIRouter(django_middleware=True)

    @router.get("/me")
    def me(request: DjangoRequest) -> str:
        return request.user.get_username()

    @router.get("/starlette")
    async def starlette(request: Request) -> bool:
        await request.session.aget("x")
        return await sync_to_async(lambda: request.user.is_authenticated)()

    @router.post("/count")
    def count(request: DjangoRequest) -> int:
        request.session["count"] = request.session.get("count", 0) + 1
        return request.session["count"]

    @router.post("/exempt")
    @csrf_exempt
    def exempt(number: int) -> int:
        return number

    @router.post("/login")
    @csrf_exempt
    def log_in(request: DjangoRequest) -> None:
        login(request, User.objects.get())

    @router.get("/language")
    async def language() -> str:
        return translation.get_language()

    @router.get("/match")
    def match(request: DjangoRequest) -> str:
        assert request.resolver_match is request.resolver_match
        return f"{request.resolver_match.url_name} {request.resolver_match.route}"

    @router.get("/missing")
    def missing() -> None:
        raise HTTPException(404)

    return client(router)


def test_the_user_is_django_s(site: APIClient) -> None:
    user = User.objects.create_user("anna")

    assert site.get("/me").json() == ""
    site.force_login(user)
    assert site.get("/me").json() == "anna"
    assert site.get("/starlette").json() is True


def test_an_endpoint_may_log_in(site: APIClient) -> None:
    User.objects.create_user("anna")

    site.post("/login")

    assert site.get("/me").json() == "anna"


def test_unsafe_methods_need_a_token(site: APIClient) -> None:
    assert site.post("/count").status_code == 403
    assert site.post("/exempt?number=3").json() == 3
    site.cookies.set("csrftoken", "a" * 32)
    for expected in (1, 2):
        answer = site.post("/count", headers={"X-CSRFToken": "a" * 32})
        assert answer.json() == expected


def test_the_language_is_that_of_the_request(site: APIClient) -> None:
    assert site.get("/language", headers={"Accept-Language": "de"}).json() == "de"
    assert site.get("/language").json() == "en"


def test_the_route_is_what_django_resolved(site: APIClient) -> None:
    assert site.get("/match").json() == "match /match"


def test_the_route_has_the_prefixes_of_its_routers() -> None:
    router = APIRouter(prefix="/inner", django_middleware=named("Phases"))

    @router.get("/{number}")
    def match(request: DjangoRequest, number: int) -> str:
        return request.resolver_match.route

    app = FastAPI()
    app.include_router(router, prefix="/outer")

    assert APIClient(app).get("/outer/inner/7").json() == "/outer/inner/{number}"


def test_a_404_of_the_endpoint_stays_one(site: APIClient) -> None:
    assert site.get("/missing").json() == {"detail": "Not Found"}


def test_changed_settings_count(site: APIClient) -> None:
    with modify_settings(MIDDLEWARE={"append": "tests.django_middleware.Phases"}):
        assert "x-phases" in site.get("/me").headers
    with override_settings(SECURE_REFERRER_POLICY="origin"):
        assert site.get("/me").headers["referrer-policy"] == "origin"
    assert "x-phases" not in site.get("/me").headers


# Which routes


def test_the_nearest_router_counts() -> None:
    def router(setting: Any, *included: Any) -> APIRouter:
        made = APIRouter(django_middleware=setting)
        for prefix, other in included:
            made.include_router(other, prefix=prefix)

        @made.get("/x")
        def x() -> None: ...

        return made

    phases = named("Phases")
    api = client(
        router(
            phases,
            ("/inherits", router(None)),
            ("/none", router(False)),
            ("/other", router(named("OwnCall"))),
        )
    )

    assert "x-phases" in api.get("/x").headers
    assert "x-phases" in api.get("/inherits/x").headers
    assert "x-phases" not in api.get("/none/x").headers
    assert "x-phases" not in api.get("/other/x").headers
    assert "x-own" in api.get("/other/x").headers


def test_a_whole_application_may_have_middleware() -> None:
    app = FastAPI(dependencies=[Depends(DjangoMiddleware(named("Phases")))])
    app.router.route_class = DjangoRoute

    @app.get("/")
    def root() -> None: ...

    assert "x-phases" in APIClient(app).get("/").headers


def test_a_route_that_is_not_ours_refuses() -> None:
    app = FastAPI(dependencies=[Depends(DjangoMiddleware())])

    @app.get("/")
    def root() -> None: ...

    with pytest.raises(ImproperlyConfigured, match="must run as a Django request"):
        APIClient(app).get("/")


def test_without_middleware_there_is_no_django_request() -> None:
    router = APIRouter()

    @router.get("/")
    def root(request: DjangoRequest) -> None: ...

    with pytest.raises(ImproperlyConfigured) as caught:
        client(router).get("/")

    assert str(caught.value) == (
        "'/' asks for Django's request, but runs without Django's middleware: write "
        "'APIRouter(django_middleware=True)'."
    )


def test_the_document_is_the_same() -> None:
    documents = []
    for setting in (None, True):
        router = APIRouter(django_middleware=setting)

        @router.get("/")
        def root(number: int) -> int:
            return number

        documents.append(client(router).get("/openapi.json").json())

    assert documents[0] == documents[1]


def test_overridden_dependencies_work() -> None:
    router = APIRouter(django_middleware=named("function", "Phases"))

    def value() -> str:
        return "value"

    @router.get("/")
    def root(value: Annotated[str, Depends(value)]) -> str:
        return f"{value} {in_worker()}"

    app = FastAPI()
    app.include_router(router)
    app.dependency_overrides[value] = lambda: "override"

    assert APIClient(app).get("/").json() == "override True"
