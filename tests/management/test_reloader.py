"""Does `manage.py runserver` come back after every mistake, as soon as it is mended?"""

import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx2
import pytest

from django_mullet.management import reloader
from django_mullet.source_location import place_of

TIMEOUT = 60  # seconds

FILES = {
    "manage.py": """
import os
import sys

from django.core.management import execute_from_command_line

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
execute_from_command_line(sys.argv)
""",
    "config/__init__.py": "",
    "config/settings.py": """
SECRET_KEY = "only-for-tests"
DEBUG = True
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_mullet", "books"]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.app"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "config/urls.py": """
from django.urls import include, path

urlpatterns = [path("", include("django_mullet.urls"))]
""",
    "config/asgi.py": """
from contextlib import asynccontextmanager

from django.core.asgi import get_asgi_application

get_asgi_application()

from django_mullet import mount_django
from fastapi import FastAPI

from books.api import router


@asynccontextmanager
async def lifespan(app):
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(router)
mount_django(app)
""",
    "books/__init__.py": "",
    "books/models.py": """
from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=100)
""",
    "books/api.py": """
from django_mullet import APIRouter
from django_mullet import ModelSchema

from books.models import Book

router = APIRouter()


class BookOut(ModelSchema[Book]):
    title: str


@router.get("/version/")
def version() -> int:
    return 1
""",
}

# What a file has, what it has by mistake, and what tells of that.
MISTAKES = {
    "books/api.py": [
        ("a syntax error", "APIRouter()", "APIRouter(", "books/api.py"),
        ("a wrong name", "APIRouter()", "ApiRouter()", "books/api.py"),
        ("a field that the model has not", "title: str", "isbn: Book.isbn", "books/api.py"),
        ("a type that FastAPI refuses", "-> int", "-> object()", "books/api.py"),
        ("an exit", "router =", "raise SystemExit('No key.')\nrouter =", "No key."),
    ],
    "books/models.py": [
        ("what Django's field refuses", "max_length=100", "length=100", "books/models.py"),
        ("a failed system check", "max_length=100", "max_length=-1", "fields.E121"),
        ("an import in a circle", "from django", "import books.api\nfrom django", "books/"),
    ],
    "config/settings.py": [
        ("a syntax error in the settings", "DEBUG = True", "DEBUG =", "settings.py"),
        ("an app that is not there", '"books"', '"bookz"', "bookz"),
        ("a wrong application", "asgi.app", "asgi:app", "a dot where it has a colon"),
    ],
    "config/urls.py": [("a wrong URL", "include(", "included(", "urls.py")],
    "config/asgi.py": [
        ("an import of nothing", "import router", "import routes", "config/asgi.py"),
        ("a lifespan that fails", "    yield", "    raise LookupError\n    yield", "LookupError"),
    ],
}


class Site:
    """A project whose development server is running."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.output = root / "output.log"

    def write(self, name: str, text: str) -> None:
        """Save a file, later than the last time as far as its file system can tell."""
        file = self.root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def print_after(self, name: str, text: str, expected: str) -> str:
        """Return what is printed after a file is saved, until that is `expected`."""
        start = len(self.printed)
        self.write(name, text)
        for _ in range(TIMEOUT):
            for _ in range(20):
                sleep(0.1)
                if expected in self.printed[start:]:
                    return self.printed[start:]
            os.utime(self.root / name)  # in case it was saved before the first look at the files
        raise AssertionError(self.printed[start:])

    @property
    def printed(self) -> str:
        return self.output.read_text()

    def version(self) -> int | None:
        """Return what the server that was started last answers, if it does."""
        ports = re.findall(r"http://127\.0\.0\.1:(\d+)/", self.printed)
        if not ports:
            return None
        try:
            found: int = httpx2.get(f"http://127.0.0.1:{ports[-1]}/version/").json()
        except httpx2.HTTPError:
            return None
        return found


@pytest.fixture
def site_files(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    for name, text in FILES.items():
        site.write(name, text)
    return site


@pytest.fixture
def site(site_files: Site) -> Iterator[Site]:
    with running(site_files):
        yield site_files


ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
    "PYTHONPATH": os.pathsep.join(path for path in sys.path if "site-packages" in path),
    "PYTHONUNBUFFERED": "1",
}


@contextmanager
def running(site: Site) -> Iterator[None]:
    command = [sys.executable, "manage.py", "runserver", "127.0.0.1:0"]
    with (
        site.output.open("w") as file,
        subprocess.Popen(
            command,
            cwd=site.root,
            env=ENVIRONMENT,
            stdout=file,
            stderr=file,
            start_new_session=True,
            # A job that a shell has put into the background ignores it, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process,
    ):
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(TIMEOUT)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + TIMEOUT
    while not condition():
        assert monotonic() < deadline
        sleep(0.05)


class TestMistakes:
    @pytest.mark.own_projects
    def test_are_told_and_the_server_comes_back_when_they_are_mended(self, site: Site) -> None:
        wait_until(lambda: site.version() == 1)
        for name, mistakes in MISTAKES.items():
            for mistake, right, wrong, told in mistakes:
                assert right in FILES[name], mistake
                text = FILES[name].replace(right, wrong)
                assert told in site.print_after(name, text, "Waiting for a change"), mistake
                site.print_after(name, FILES[name], "Starting ASGI development server at")
                wait_until(lambda: site.version() == 1)

    @pytest.mark.own_projects
    def test_of_a_module_that_is_missing_are_mended_by_making_it(self, site: Site) -> None:
        wait_until(lambda: site.version() == 1)
        text = "from books import extra\n" + FILES["books/api.py"]
        assert "'extra'" in site.print_after("books/api.py", text, "Waiting for a change")

        site.print_after("books/extra.py", "", "Starting ASGI development server at")

        wait_until(lambda: site.version() == 1)


class TestFilesOfTheProject:
    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(
            sys, "path", ["", str(tmp_path / "books"), sysconfig.get_path("purelib")]
        )
        for name in ("books/api.py", "venv/lib/x.py", "node_modules/x.py", ".git/x.py"):
            file = tmp_path / name
            file.parent.mkdir(parents=True)
            file.touch()
        (tmp_path / "venv/pyvenv.cfg").touch()
        return tmp_path

    def test_are_watched_and_nothing_else(self, project: Path) -> None:
        (project / "db.sqlite3").touch()
        (project / ".env.local").touch()
        (project / "books/gone.py").symlink_to("nowhere.py")

        watched = set(reloader.stamps())

        assert watched == {str(project / "books/api.py"), str(project / ".env.local")}

    def test_count_when_they_are_new(self, project: Path) -> None:
        before = reloader.stamps()

        (project / "books/extra.py").touch()

        assert reloader.stamps() != before


class TestPlaceOf:
    def test_is_the_last_line_in_the_project(self) -> None:
        with pytest.raises(ValueError, match="Expecting") as caught:
            json.loads("{")

        line = caught.traceback[0].lineno + 1
        assert place_of(caught.value) == f"{relative(__file__)}, line {line}"

    def test_is_where_the_origin_is(self, tmp_path: Path) -> None:
        file = tmp_path / "routes.py"
        file.write_text("x = 1\nx.missing\n")
        error = ImportError()

        with pytest.raises(AttributeError) as caught:
            runpy.run_path(str(file))
        error.__cause__ = caught.value

        assert place_of(error) == f"{file}, line 2"

    def test_of_a_syntax_error_is_where_that_is(self, tmp_path: Path) -> None:
        file = tmp_path / "routes.py"
        file.write_text("x = 1\nx = (\n")

        with pytest.raises(SyntaxError) as caught:
            runpy.run_path(str(file))

        assert place_of(caught.value) == f"{file}, line 2"

    def test_is_empty_without_a_part_of_the_project(self) -> None:
        assert place_of(ValueError()) == ""


def relative(file: str) -> Path:
    return Path(file).relative_to(Path.cwd())


def test_a_port_that_is_in_use_ends_the_command(site_files: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"]
        ended = subprocess.run(
            command, cwd=site_files.root, env=ENVIRONMENT, capture_output=True, timeout=TIMEOUT
        )

    assert ended.returncode == 1
    assert b"That port is already in use." in ended.stderr
    assert b"Waiting for a change" not in ended.stderr
