"""whitenoise: does it serve static files where Django is mounted?"""

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from fastapi import FastAPI

from django_mullet import APIClient


@pytest.fixture
def path(app: FastAPI) -> str:
    """The path of a static file, with the hash of what it holds."""
    path: str = staticfiles_storage.url("admin/css/base.css")
    return path


def test_a_file_is_sent_compressed_and_kept_for_ever(client: APIClient, path: str) -> None:
    response = client.get(path, headers={"Accept-Encoding": "gzip"})

    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-type"].startswith("text/css")
    assert response.headers["cache-control"].endswith("immutable")
    assert "body" in response.text


def test_a_file_that_the_client_has_is_not_sent(client: APIClient, path: str) -> None:
    last_modified = client.get(path).headers["last-modified"]

    response = client.get(path, headers={"If-Modified-Since": last_modified})

    assert (response.status_code, response.content) == (304, b"")


def test_a_part_of_a_file_is_sent(client: APIClient, path: str) -> None:
    whole = client.get(path, headers={"Accept-Encoding": "identity"}).content

    part = client.get(path, headers={"Accept-Encoding": "identity", "Range": "bytes=5-14"})

    assert (part.status_code, part.content) == (206, whole[5:15])
