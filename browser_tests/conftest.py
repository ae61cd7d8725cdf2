"""What every browser test needs: the example as a person starts it, the built site, and pages."""

import functools
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Request, Response, Route, sync_playwright

from tests.documentation import ROOT, write_project

RUN = ROOT / "scripts" / "run"
BUILT_DOCS = ROOT / "build" / "site"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
# What becomes of requests of a page that was left, and of those that its policy forbids: a browser
# does not make them.
NOT_MADE = {"net::ERR_ABORTED", "csp"}
FIRST_PAGE = ROOT / "docs" / "index.md"
ADD_BOOK = "from shop.models import Book; Book.objects.create(title='Iliad')"
STARTUP_TIMEOUT = 60  # seconds


@dataclass(frozen=True, slots=True)
class Site:
    url: str
    username: str
    password: str
    api_key: str

    @classmethod
    def from_output(cls, output: str) -> "Site":
        """Read what `scripts/run` prints for a person."""
        found = dict(re.findall(r"^([\w ]+): +(.+)$", output, re.MULTILINE))
        return cls(
            url=re.sub("/admin/$", "", found["Admin"]),
            username=found["Login"],
            password=found["Password"],
            api_key=found["API key"],
        )


@dataclass(frozen=True, slots=True)
class Shop:
    url: str
    log: Path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", help="the directory for the pictures of the documentation")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running example, on a free port, with a database and credentials of its own."""
    directory = tmp_path_factory.mktemp("site")
    environment = {
        **os.environ,
        "PORT": "0",
        "PYTHON": sys.executable,
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "GOATFISH_CREDENTIALS": str(directory / "credentials.json"),
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    log = directory / "log"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603
            [RUN], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_printed("Stop it:", log, process)
        yield Site.from_output(log.read_text())
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    assert process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


def wait_until_printed(text: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while text not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"scripts/run did not start:\n{log.read_text()}")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.fail(f"No browser found: put one of {', '.join(BROWSERS)} on the PATH.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, site: Site, tmp_path: Path) -> Iterator[Page]:
    """A page of a new browser profile, which reaches the site only and must not miss anything."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1200, "height": 1400})
    context.set_default_timeout(15_000)
    errors: list[str] = []

    def refuse(route: Route) -> None:
        errors.append(f"{route.request.url} is of a foreign host")
        route.abort()

    context.route(lambda url: not url.startswith(site.url), refuse)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.extend(failure_of_request(request)))
    page.on("response", lambda response: errors.extend(failure_of(response)))
    yield page
    page.screenshot(path=tmp_path / "page.png")
    context.close()
    assert errors == []


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The project of the documentation's first page, with one book, run as the page says."""
    project = write_project(FIRST_PAGE, tmp_path_factory.mktemp("shop") / "project")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "PYTHONPATH": str(project),
        "PYTHONUNBUFFERED": "1",
    }
    manage = [sys.executable, "-m", "django"]
    for command in (["migrate", "--run-syncdb", "-v0"], ["shell", "-v0", "-c", ADD_BOOK]):
        subprocess.run([*manage, *command], cwd=project, env=environment, check=True)  # noqa: S603
    log = project / "log"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603
            [*manage, "runserver", "--noreload", port],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_printed("Quit the server", log, process)
        yield Shop(url=f"http://127.0.0.1:{port}", log=log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="session")
def docs_url() -> Iterator[str]:
    """The address of the documentation site, as `make docs` has built it."""
    assert (BUILT_DOCS / "search.json").exists(), "Run 'make docs' first."
    handler = functools.partial(QuietHandler, directory=str(BUILT_DOCS))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@contextmanager
def open_docs(
    browser: Browser,
    url: str,
    *,
    width: int = 1280,
    height: int = 800,
    scheme: Literal["dark", "light"] = "light",
) -> Iterator[Page]:
    """Open a page of the documentation site, which must ask no other host for anything."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    yield page
    context.close()
    own = ("http://127.0.0.1:", "blob:", "data:")
    assert [address for address in asked if not address.startswith(own)] == []


def failure_of_request(request: Request) -> list[str]:
    # A click may leave the page before all of its pictures are there.
    return [] if request.failure in NOT_MADE else [f"{request.url}: {request.failure}"]


def failure_of(response: Response) -> list[str]:
    return [f"{response.url}: {response.status}"] if response.status >= 400 else []
