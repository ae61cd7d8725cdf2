import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import StringIO
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import fastapi
import httpx2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command, get_commands
from django.db import connections
from django.test import modify_settings
from fastapi import FastAPI, Response, WebSocket
from fastapi.testclient import TestClient
from pytest_django import Settings
from websockets.sync.client import connect

from django_mullet.management.commands.runserver import AccessLog, Command

TIMEOUT = 60  # seconds

lifespan_events: list[str] = []


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    lifespan_events.append("startup")
    yield
    lifespan_events.append("shutdown")


app = FastAPI(lifespan=lifespan)


@app.get("/status/{status}")
async def answer(status: int) -> Response:
    return Response("answer", status_code=status)


@app.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


@pytest.fixture(autouse=True)
def asgi_application(settings: Settings) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.app"


@contextmanager
def running(*args: str, stdout: StringIO | None = None) -> Iterator[httpx2.Client]:
    """Run the command in a thread, and yield a client of its server."""
    command = Command(stdout=stdout or StringIO(), no_color=True)
    databases = connections.all()
    for database in databases:
        database.inc_thread_sharing()

    def run() -> None:
        for database in databases:
            connections[database.alias] = database
        call_command(command, *args, "--noreload", skip_checks="--skip-checks" in args)

    thread = Thread(target=run)
    thread.start()
    try:
        wait_until(
            lambda: (command.server is not None and command.server.started) or not thread.is_alive()
        )
        assert command.server is not None, "the command ended"
        host, port = command.server.servers[0].sockets[0].getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        with httpx2.Client(base_url=f"http://{address}:{port}") as client:
            yield client
    finally:
        command.stop()
        thread.join(TIMEOUT)
        for database in databases:
            database.dec_thread_sharing()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + TIMEOUT
    while not condition():
        assert monotonic() < deadline
        sleep(0.02)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Capture what the development server logs, which Django keeps from the root logger."""
    logger = logging.getLogger("django.server")
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO, "django.server")
    yield caplog
    logger.removeHandler(caplog.handler)


def test_the_command_is_ours() -> None:
    assert get_commands()["runserver"] == "django_mullet"


@pytest.mark.django_db(transaction=True, databases="__all__")  # the checks look at each
class TestServer:
    def test_serves_the_application(self) -> None:
        with running("127.0.0.1:0") as client:
            response = client.get("/status/201")

        assert response.status_code == 201
        assert response.text == "answer"

    def test_runs_its_lifespan(self) -> None:
        lifespan_events.clear()

        with running("127.0.0.1:0"):
            assert lifespan_events == ["startup"]
        assert lifespan_events == ["startup", "shutdown"]

    def test_serves_websockets(self) -> None:
        with running("127.0.0.1:0") as client:
            url = f"ws://127.0.0.1:{client.base_url.port}/echo"
            with connect(url) as websocket:
                websocket.send("Meeeh.")
                assert websocket.recv() == "Meeeh."

    def test_threading_makes_no_difference(self) -> None:
        with running("127.0.0.1:0", "--nothreading") as client:
            assert client.get("/status/200").status_code == 200

    @pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
    def test_listens_to_ipv6(self) -> None:
        stdout = StringIO()

        with running("0", "--ipv6", stdout=stdout) as client:
            assert client.get("/status/200").status_code == 200

        assert f"http://[::1]:{client.base_url.port}/\n" in stdout.getvalue()

    def test_does_not_hide_why_an_application_cannot_be_imported(self, settings: Settings) -> None:
        settings.ASGI_APPLICATION = "nowhere.asgi.app"

        with pytest.raises(ImproperlyConfigured, match="No module named 'nowhere'"):
            call_command("runserver", "127.0.0.1:0", "--noreload", stdout=StringIO())

    def test_says_where_it_listens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DJANGO_RUNSERVER_HIDE_WARNING", raising=False)
        stdout = StringIO()

        with running("127.0.0.1:0", stdout=stdout) as client:
            port = client.base_url.port

        output = stdout.getvalue()
        assert "Performing system checks..." in output
        assert f"FastAPI version {fastapi.__version__}, using settings " in output
        assert f"Starting ASGI development server at http://127.0.0.1:{port}/\n" in output
        assert re.search(r"Quit the server with CONTROL-C\.\n", output)
        assert "WARNING: This is a development server." in output

    def test_does_not_warn_who_wants_no_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_RUNSERVER_HIDE_WARNING", "true")
        stdout = StringIO()

        with running("127.0.0.1:0", stdout=stdout):
            pass

        assert "WARNING" not in stdout.getvalue()


@pytest.mark.django_db(transaction=True, databases="__all__")  # the checks look at each
class TestStaticFiles:
    path = "/static/django_mullet/docs.css"

    def test_are_served_in_debug_mode(self, settings: Settings) -> None:
        settings.DEBUG = True

        with running("127.0.0.1:0") as client:
            assert client.get(self.path).headers["content-type"].startswith("text/css")
            assert client.get("/status/200").text == "answer"

    def test_are_not_served_otherwise(self) -> None:
        with running("127.0.0.1:0") as client:
            assert client.get(self.path).status_code == 404

    def test_are_served_otherwise_if_asked_for(self) -> None:
        with running("127.0.0.1:0", "--insecure") as client:
            assert client.get(self.path).status_code == 200

    def test_are_not_served_if_not_wanted(self, settings: Settings) -> None:
        settings.DEBUG = True

        with running("127.0.0.1:0", "--nostatic") as client:
            assert client.get(self.path).status_code == 404

    @modify_settings(INSTALLED_APPS={"remove": ["django.contrib.staticfiles"]})
    def test_are_no_business_of_the_command_without_their_app(self) -> None:
        with running("127.0.0.1:0", "--skip-checks") as client:
            assert client.get(self.path).status_code == 404
        with pytest.raises(CommandError, match="unrecognized arguments: --nostatic"):
            call_command("runserver", "--nostatic")


class TestAccessLog:
    @pytest.mark.parametrize(
        ("status", "level"),
        [(200, logging.INFO), (404, logging.WARNING), (503, logging.ERROR)],
    )
    def test_logs_a_request_as_djangos_server_does(
        self, status: int, level: int, logged: pytest.LogCaptureFixture
    ) -> None:
        client = TestClient(AccessLog(app, serve_static=False))

        client.get(f"/status/{status}?a=%C3%A9")

        [record] = [record for record in logged.records if record.name == "django.server"]
        assert record.getMessage() == f'"GET /status/{status}?a=%C3%A9 HTTP/1.1" {status} 6'
        assert record.levelno == level
        assert record.__dict__["status_code"] == status
        assert re.fullmatch(r"\d\d/\w+/\d{4} \d\d:\d\d:\d\d", record.__dict__["server_time"])


@pytest.mark.parametrize("path", [None, ""])
def test_an_unset_application_is_reported(path: str | None, settings: Settings) -> None:
    settings.ASGI_APPLICATION = path

    with pytest.raises(CommandError) as caught:
        call_command("runserver")

    assert str(caught.value) == (
        "The setting 'ASGI_APPLICATION' must name the FastAPI instance: "
        'ASGI_APPLICATION = "myproject.asgi.app".'
    )


SITE = """
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from django.conf import settings
from fastapi import FastAPI

SECRET_KEY = "only-for-tests"
DEBUG = True
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_mullet"]
ROOT_URLCONF = "site_of_one_file"
ASGI_APPLICATION = "site_of_one_file.app"

urlpatterns = []


@asynccontextmanager
async def lifespan(app):
    print("lifespan: startup", flush=True)
    yield
    print("lifespan: shutdown", flush=True)


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def version():
    return 1
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site_of_one_file.py"
    file.write_text(SITE)
    return file


@contextmanager
def process(site: Path, *args: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run the command in a process group of its own; what it prints goes to a file."""
    output = site.with_name("output")
    command = [sys.executable, "-m", "django", "runserver", "127.0.0.1:0", *args]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site.parent), *sys.path]),
        "DJANGO_SETTINGS_MODULE": "site_of_one_file",
        "PYTHONUNBUFFERED": "1",
    }
    # A shell's background jobs ignore Ctrl-C, and so would what the tests in one of them start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (
        output.open("w") as file,
        subprocess.Popen(
            command,
            cwd=site.parent,
            env=environment,
            stdout=file,
            stderr=file,
            text=True,
            start_new_session=True,
        ) as running_process,
    ):
        try:
            yield running_process, output
        finally:
            if running_process.poll() is None:
                os.killpg(running_process.pid, signal.SIGKILL)


class TestProcess:
    def test_ends_properly_at_a_ctrl_c(self, site: Path) -> None:
        with process(site, "--noreload") as (server, output):
            wait_until(lambda: "lifespan: startup" in output.read_text())
            os.killpg(server.pid, signal.SIGINT)
            exit_code = server.wait(TIMEOUT)

        assert exit_code == 0
        assert "Traceback" not in output.read_text()
        assert "lifespan: shutdown" in output.read_text()

    def test_reloads_changed_code_and_ends_properly_at_a_ctrl_c(self, site: Path) -> None:
        with process(site) as (server, output):
            wait_until(lambda: "lifespan: startup" in output.read_text())
            sleep(1.5)  # the reloader's first look at the files
            site.write_text(SITE.replace("return 1", "return 2"))
            wait_until(lambda: output.read_text().count("lifespan: startup") == 2)
            [*_, port] = re.findall(r"http://127\.0\.0\.1:(\d+)/", output.read_text())
            body = httpx2.get(f"http://127.0.0.1:{port}/").json()
            ended = output.read_text().count("lifespan: shutdown")
            os.killpg(server.pid, signal.SIGINT)
            exit_code = server.wait(TIMEOUT)

        assert body == 2
        assert ended == 1
        assert exit_code == 0  # Django's reloader gives its child a quarter of a second to end
        assert "Traceback" not in output.read_text()

    def test_says_why_a_lifespan_failed(self, site: Path) -> None:
        site.write_text(SITE.replace("print(", "raise LookupError("))

        with process(site, "--noreload") as (server, output):
            exit_code = server.wait(TIMEOUT)

        assert exit_code == 3
        assert "LookupError" in output.read_text()
