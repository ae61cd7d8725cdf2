"""Which half answers, and how do both begin and end?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet import mount_django
from django_mullet.execution.workers import pool
from tests.both_halves import app, client, make_app

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.both_halves")]


def test_a_route_of_fastapi_is_answered_by_fastapi() -> None:
    assert client.get("/api/items").json() == 0


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
def test_every_method_of_another_path_is_django_s(method: str) -> None:
    response = getattr(client, method)("/page")

    if method == "get":
        assert response.text == "GET /page 0 mullet"
    else:
        assert response.headers["Content-Type"].startswith("text/html")


def test_an_asynchronous_view_is_served() -> None:
    assert client.get("/async-page").text == "0 rows"


def test_a_method_that_a_route_of_fastapi_lacks_is_answered_405() -> None:
    response = client.post("/api/items")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert response.json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize(
    ("wrong", "right"), [("/api/slash", "/api/slash/"), ("/api/items/", "/api/items")]
)
def test_fastapi_redirects_to_its_path_with_or_without_the_slash(wrong: str, right: str) -> None:
    response = client.get(wrong, follow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (307, right)


def test_django_redirects_to_its_path_with_the_slash() -> None:
    response = client.get("/admin", follow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (301, "/admin/")


def test_an_unknown_path_below_a_path_of_fastapi_is_a_404_in_json() -> None:
    response = client.get("/api/missing")

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("missing", ["/missing", "/apis/x", "/"])
def test_an_unknown_path_elsewhere_is_django_s_404_page(missing: str) -> None:
    response = client.get(missing)

    assert response.status_code == 404
    assert "<h1>Not Found</h1>" in response.text


def test_a_view_of_django_below_a_path_of_fastapi_keeps_working() -> None:
    assert client.get("/api/legacy/").json() == {"django": "/api/legacy/"}


def test_a_path_that_both_know_is_fastapi_s() -> None:
    both = FastAPI()

    @both.get("/page")
    def page() -> str:
        return "fastapi"

    mount_django(both)

    assert TestClient(both).get("/page").json() == "fastapi"
    assert TestClient(both).get("/rows").status_code == 200


def test_a_path_that_lacks_the_slash_of_a_view_of_django_leads_there() -> None:
    response = client.get("/api/legacy?page=2", follow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (301, "/api/legacy/?page=2")


@override_settings(APPEND_SLASH=False)
def test_a_slash_is_only_appended_where_the_settings_say_so() -> None:
    response = client.get("/api/legacy", follow_redirects=False)

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_a_route_with_a_variable_first_segment_owns_no_path() -> None:
    app = FastAPI()

    @app.get("/{tenant}/items/list")
    def tenant_items(tenant: str) -> str:
        return tenant

    mount_django(app)
    client = TestClient(app)

    assert client.get("/a/items/list").json() == "a"
    assert "<h1>Not Found</h1>" in client.get("/a/missing").text


def test_a_route_at_the_root_owns_no_other_path() -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    def root() -> str:
        return "root"

    mount_django(app)
    client = TestClient(app)

    assert client.get("/").json() == "root"
    assert client.get("/page").text.startswith("GET /page")
    assert "<h1>Not Found</h1>" in client.get("/missing").text


def test_a_path_added_after_the_mounting_is_served() -> None:
    app = make_app()

    @app.get("/late")
    def late() -> str:
        return "late"

    assert TestClient(app).get("/late").json() == "late"
    assert TestClient(app).get("/late/missing").json() == {"detail": "Not Found"}


def test_below_a_root_path_both_halves_are_found() -> None:
    client = TestClient(app, root_path="/site")

    assert client.get("/site/api/items").json() == 0
    assert client.get("/site/api/missing").json() == {"detail": "Not Found"}
    assert client.get("/site/api/legacy/").json() == {"django": "/site/api/legacy/"}
    assert client.get("/site/prefix").json() == ["/site/", "/site/prefix", "/prefix"]
    assert "<h1>Not Found</h1>" in client.get("/site/missing").text


def test_a_root_path_that_is_stripped_already_changes_nothing() -> None:
    client = TestClient(app, root_path="/site")

    assert client.get("/api/items").json() == 0


def test_websockets_are_fastapi_s() -> None:
    with client.websocket_connect("/api/ws") as session:
        assert session.receive_text() == "fastapi"


@pytest.mark.parametrize("unknown", ["/api/missing", "/page", "/missing"])
def test_an_unknown_websocket_is_closed(unknown: str) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect(unknown):
        raise AssertionError("it was accepted")


def test_the_schema_of_the_api_knows_nothing_of_django() -> None:
    assert set(client.get("/api/openapi.json").json()["paths"]) == {
        "/api/items",
        "/api/slash/",
        "/api/taken",
    }


def test_the_lifespan_of_the_application_runs_and_its_state_arrives() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        events.append("start")
        yield {"from": "lifespan"}
        events.append("end")

    app = make_app(lifespan=lifespan)
    with TestClient(app) as client:
        state = client.app_state
        assert client.get("/page").status_code == 200

    assert events == ["start", "end"]
    assert state == {"from": "lifespan"}


def test_the_workers_end_with_the_server() -> None:
    with TestClient(app) as client:
        client.get("/api/items")
        assert pool.size > 0

    assert pool.size == 0


def test_the_workers_end_with_a_server_that_fails() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        raise RuntimeError("at the end")

    with (
        pytest.raises(RuntimeError, match="at the end"),
        TestClient(make_app(lifespan=lifespan)) as c,
    ):
        c.get("/api/items")

    assert pool.size == 0


@pytest.mark.django_db(transaction=True)
@override_settings(MULLET={"CONNECTIONS": 2, "CONNECTION_TIMEOUT": 1})
def test_servers_may_come_and_go_without_using_connections_up() -> None:
    for _ in range(4):
        with TestClient(app) as client:
            assert client.get("/api/items").json() == 0
            assert client.get("/page").status_code == 200


def test_mounting_something_else_is_refused() -> None:
    with pytest.raises(TypeError) as caught:
        mount_django(ASGIHandler)  # type: ignore[arg-type]

    assert str(caught.value) == "mount_django() takes a FastAPI instance, not a 'type'."


def test_mounting_twice_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        mount_django(app)

    assert str(caught.value) == "Django is mounted already: call 'mount_django(app)' once."


def test_mounting_before_django_is_set_up_is_refused() -> None:
    from tests.execution.pools import printed_by

    script = """
from django.conf import settings
settings.configure()
from fastapi import FastAPI
from django_mullet import DjangoHandler, mount_django
try:
    mount_django(FastAPI())
except Exception as error:
    print(type(error).__name__, error)
"""

    assert " ".join(printed_by(script)) == (
        "ImproperlyConfigured Django is not set up: call 'django.setup()' before "
        "'mount_django(app)' and before you import models."
    )
