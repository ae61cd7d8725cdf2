"""Does a project with users, pages and DRF take the library by four lines, as its page says?

`existing` is the project. The page's blocks are written at the end of its files, or into new ones.
"""

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "existing-project.md"
TIMEOUT = 120  # seconds
OLD_TESTS = 8


def documentation() -> Any:
    """The module of the other tests that reads pages."""
    spec = importlib.util.spec_from_file_location("documentation", HERE.parent / "documentation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["documentation"] = module  # for its dataclasses
    spec.loader.exec_module(module)
    return module


def manage(project: Path, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *arguments],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return {**kept, "PYTHONPATH": str(ROOT / "src")}


def count_tests(project: Path) -> int:
    output = manage(project, "test", "--settings", "config.settings.test", "--pattern", "tests*.py")
    [ran] = re.findall(r"^Ran (\d+) tests", output, re.MULTILINE)
    return int(ran)


def copy(directory: Path) -> Path:
    shutil.copytree(HERE / "existing", directory, ignore=shutil.ignore_patterns("__pycache__"))
    return directory


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, after its developer has read the page."""
    project = copy(tmp_path_factory.mktemp("existing") / "project")
    for block in documentation().blocks(PAGE.name, PAGE.read_text()):
        with (project / block.file).open("a") as file:
            file.write(block.code.partition("\n")[2])
    return project


def test_the_tests_of_the_project_pass_as_it_was(tmp_path: Path) -> None:
    assert count_tests(copy(tmp_path / "project")) == OLD_TESTS


def test_four_lines_are_added_and_none_is_changed(project: Path) -> None:
    added = []
    for path in sorted((HERE / "existing").rglob("*.py")):
        before = path.read_text()
        after = (project / path.relative_to(HERE / "existing")).read_text()
        assert after.startswith(before)
        added += after.removeprefix(before).splitlines()

    assert len(added) == 4, added


def test_its_tests_still_pass_and_those_of_the_page_too(project: Path) -> None:
    assert count_tests(project) == OLD_TESTS + 2


def test_nothing_is_left_to_say(project: Path) -> None:
    assert "no issues" in manage(project, "check", "--fail-level", "WARNING")
    assert "No changes" in manage(project, "makemigrations", "--check", "--dry-run")


# As a server has it


@pytest.fixture(scope="module")
def url(project: Path) -> Iterator[str]:
    """Where a server of the project answers."""
    manage(project, "migrate")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = ["uvicorn", "config.asgi:application", "--port", str(port)]
    log = project.parent / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=project,
            env=environment(),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + TIMEOUT
        while "Uvicorn running on" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT)


def get(url: str, **headers: str) -> tuple[int, str, str]:
    """Return the status, the last address, and the body."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return response.status, response.url, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.url or "", error.read().decode()


def test_both_apis_answer(url: str) -> None:
    assert json.loads(get(f"{url}/api/v1/books/")[2])["results"] == []
    assert json.loads(get(f"{url}/api/v2/books/")[2]) == []
    assert "/api/v2/books/" in json.loads(get(f"{url}/api/v2/openapi.json")[2])["paths"]


def test_pages_keep_their_languages(url: str) -> None:
    assert get(url, **{"Accept-Language": "el"})[1] == f"{url}/el/"
    assert '<html lang="en">' in get(f"{url}/en/")[2]
    assert get(f"{url}/en/admin/")[1] == f"{url}/en/admin/login/?next=/en/admin/"


def test_what_nobody_has_is_not_found_in_json_below_the_api_only(url: str) -> None:
    assert get(f"{url}/api/nothing/")[::2] == (404, '{"detail":"Not Found"}')
    status, _, page = get(f"{url}/en/nothing/")
    assert status == 404
    assert "<html" in page
