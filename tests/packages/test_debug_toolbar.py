"""django-debug-toolbar: do the API and the admin work with it?"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from httpx2 import Client

from django_mullet.testing import APIClient
from shop.models import Book

pytestmark = pytest.mark.django_db

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def debug() -> Iterator[None]:
    with override_settings(DEBUG=True):
        yield


def test_a_page_has_the_toolbar_with_its_queries(
    logged_in: APIClient, user: User, book: Book
) -> None:
    user.is_superuser = True
    user.save()

    page = logged_in.get("/admin/shop/book/")

    assert "Gravity&#x27;s Rainbow" in page.text
    assert 'id="djDebug"' in page.text
    request_id = page.headers["djdt-request-id"]
    panel = logged_in.get(
        "/__debug__/render_panel/", params={"request_id": request_id, "panel_id": "SQLPanel"}
    )
    assert "shop_book" in panel.json()["content"]


@pytest.mark.parametrize("path", ["/api/books/", "/api/filtered/books/", "/api/ninja/books/"])
def test_the_api_answers_what_it_does_without(logged_in: APIClient, book: Book, path: str) -> None:
    logged_in.get("/admin/")

    response = logged_in.get(path)

    assert response.json() == [{"id": book.pk, "title": "Gravity's Rainbow", "pages": 760}]


@pytest.mark.parametrize("path", ["", "async/"])
def test_an_api_route_behind_it_answers_the_same(client: APIClient, book: Book, path: str) -> None:
    response = client.get(f"/api/behind-middleware/books/{path}")

    assert response.headers["djdt-request-id"]
    assert response.headers["content-type"] == "application/json"
    assert response.content == client.get("/api/books/").content


# On a server


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """Yield the address of a server with `DEBUG` and a database of its own."""
    environment = {
        **os.environ,
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "SQLITE_FILE": str(directory / "db.sqlite3"),
        "STATIC_ROOT": str(directory),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    run = [sys.executable, "-m"]
    migrate = ["django", "migrate", "--run-syncdb", "--verbosity", "0"]
    subprocess.run([*run, *migrate], env=environment, cwd=HERE, check=True)
    serve = ["uvicorn", "project.asgi:app", "--port", "0", "--no-access-log"]
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([*run, *serve], env=environment, cwd=HERE, stderr=output)
    try:
        while not (address := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield address[0]
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert "Traceback" not in log.read_text()


def test_pages_and_api_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    with (
        serving(tmp_path) as url,
        Client(base_url=url, timeout=60) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        pages = threads.map(client.get, ["/accounts/login/"] * 20)
        lists = threads.map(client.get, ["/api/books/"] * 100)

        assert all('id="djDebug"' in page.text for page in pages)
        assert {(found.status_code, found.text) for found in lists} == {(200, "[]")}
