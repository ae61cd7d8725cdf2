"""Is who makes a mistake told what the page says, when the mistake is made for real?

Each mistake of `docs/troubleshooting.md` is made in the project of the README: its code is appended
to the settings, or replaces a file. The title of a message says where it is seen.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import override_settings
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter, mount_django
from tests.documentation import README, ROOT, Block, write_blocks, write_project
from tests.each_project import SUCCESS, environment, run_in_each

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
SECTION = re.compile(r"^### (?P<title>.+?)\n(?P<text>.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
CODE = re.compile(r'^```python title="(?P<file>.+?)"\n(?P<code>.*?)^```$', re.DOTALL | re.MULTILINE)
MESSAGE = re.compile(
    r'^```text title="(?P<seen>.+?)"\n(?P<message>.*?)^```$', re.DOTALL | re.MULTILINE
)
TIMEOUT = 60  # seconds, for a server that does not start

COMMANDS = {"manage.py check": "check", "a request": "test-on-sqlite"}
SERVER = "uvicorn project.asgi:app"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody writes, and is told."""

    title: str
    code: list[Block]
    seen: str
    message: str

    @property
    def directory(self) -> str:
        return re.sub(r"\W+", "-", self.title)


def mistakes() -> Iterator[Mistake]:
    """Yield the mistakes of the page that have code."""
    for section in SECTION.finditer(PAGE):
        code = [Block(found["file"], found["code"]) for found in CODE.finditer(section["text"])]
        if code:
            [told] = MESSAGE.finditer(section["text"])
            yield Mistake(section["title"], code, told["seen"], one_line(told["message"]))


def one_line(text: str) -> str:
    return " ".join(text.split())


MISTAKES = list(mistakes())
WITHOUT_TOKEN = Block("project/settings.py", "TESTS_SEND_CSRF_TOKEN = False\n")


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which each mistake has its project, and the output of its command."""
    directory = tmp_path_factory.mktemp("mistakes")
    for mistake in MISTAKES:
        project = write_project(README, directory / mistake.directory)
        write_blocks([WITHOUT_TOKEN, *mistake.code], project, appended={"project/settings.py"})
    for seen, command in COMMANDS.items():
        run_in_each(command, [directory / each.directory for each in MISTAKES if each.seen == seen])
    return directory


@pytest.mark.own_projects
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.directory)
def test_a_mistake_is_answered_as_the_page_says(mistake: Mistake, projects: Path) -> None:
    project = projects / mistake.directory

    if mistake.seen == SERVER:
        output = output_of_server(project)
    else:
        output = (project / "output").read_text()
        assert not output.endswith(f"{SUCCESS}\n"), output

    assert mistake.message in one_line(output), output


def output_of_server(project: Path) -> str:
    """Return what uvicorn prints before it gives up."""
    server = subprocess.run(
        [sys.executable, "-m", *SERVER.split(), "--port", "0"],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert server.returncode != 0
    return server.stderr


def test_the_page_has_twenty_mistakes_and_more() -> None:
    assert len({mistake.directory for mistake in MISTAKES}) == len(MISTAKES) >= 20
    assert {mistake.seen for mistake in MISTAKES} == {*COMMANDS, SERVER}
    assert all(mistake.message for mistake in MISTAKES)


@override_settings(MULLET={"THREADS": 1, "QUEUE": 1})
def test_the_page_quotes_the_log_of_a_busy_server(
    all_workers_busy: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    app, router = FastAPI(), APIRouter(prefix="/api/books")
    router.get("/{book_id}/")(lambda book_id: book_id)
    app.include_router(router)
    mount_django(app)
    all_workers_busy()

    response = TestClient(app).get("/api/books/1/")

    [quoted] = [found for found in MESSAGE.finditer(PAGE) if found["seen"] == "the log"]
    assert response.status_code == 503
    assert one_line(quoted["message"]) in [record.message for record in caplog.records]
