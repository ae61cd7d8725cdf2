"""Channels: do its consumers and FastAPI's WebSockets answer side by side, on one server?"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from httpx2 import Client
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from serving import PASSWORD, USER, serving

SERVERS = {
    "runserver": ["django", "runserver", "--noreload", "0"],
    "uvicorn": ["uvicorn", "project.asgi:app", "--port", "0"],
    "ProtocolTypeRouter": [
        "uvicorn",
        "project.protocols:application",
        "--port",
        "0",
        "--lifespan",
        "on",
    ],
}


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("channels"), SERVERS[request.param]) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """Who has logged in, on the page of Django's admin."""
    with Client(base_url=url, timeout=60, follow_redirects=True) as client:
        client.get("/admin/login/")
        form = {"username": USER, "password": PASSWORD}
        token = client.cookies["csrftoken"]
        page = client.post("/admin/login/", data={**form, "csrfmiddlewaretoken": token})
        assert page.status_code == 200
        yield client


def opened(client: Client, path: str, **headers: str) -> AbstractContextManager[ClientConnection]:
    url = str(client.base_url.join(path))
    cookie = f"sessionid={client.cookies.get('sessionid', '')}"
    return connect(url.replace("http:", "ws:"), additional_headers={"Cookie": cookie, **headers})


def heard(session: ClientConnection) -> Any:
    return json.loads(session.recv(timeout=30))


def number(session: ClientConnection) -> int:
    session.send("{}")
    found: int = heard(session)["number"]
    return found


def test_each_serves_its_own_websockets(client: Client) -> None:
    with (
        opened(client, "/ws/books/count/") as of_channels,
        opened(client, "/api/announced/books/count/") as of_fastapi,
    ):
        before = number(of_channels)
        client.post("/api/announced/books/", json={"title": "V."})

        assert number(of_channels) == number(of_fastapi) == before + 1


@pytest.mark.parametrize("path", ["/api/announced/books/", "/api/announced/books/async/"])
def test_a_route_tells_the_consumers(client: Client, path: str) -> None:
    with opened(client, "/ws/books/") as one, opened(client, "/ws/books/") as other:
        response = client.post(path, json={"title": "Vineland"})

        assert response.status_code == 201
        assert heard(one) == heard(other) == {"title": "Vineland"}


def test_the_api_shows_what_a_consumer_has_stored(client: Client) -> None:
    with opened(client, "/ws/books/") as session:
        session.send('{"title": "Slow Learner"}')
        heard(session)

    assert "Slow Learner" in [book["title"] for book in client.get("/api/books/").json()]


def test_a_consumer_knows_who_has_logged_in_on_a_page_of_django(client: Client, url: str) -> None:
    with opened(client, "/ws/books/"):
        pass

    with pytest.raises(InvalidStatus), opened(Client(base_url=url), "/ws/books/"):
        pass


def test_http_is_answered_by_fastapi_and_django(client: Client) -> None:
    assert client.get("/api/books/").status_code == 200
    assert "Site administration" in client.get("/admin/").text
    assert client.get("/ws/books/").status_code == 404
