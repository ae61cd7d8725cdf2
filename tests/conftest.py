"""What every test may use."""

import resource
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import fastapi.routing
import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from django_mullet.execution.workers import pool
from django_mullet.queries import prepared
from tests.worker_threads import Thread, worker_threads

LARGE_APPS = {"tests.catalogue", "tests.fieldtypes", "tests.relations", "tests.tables"}

hypothesis_settings.register_profile(
    "search", deadline=None
)  # new examples: `pytest --hypothesis-profile=search`
hypothesis_settings.register_profile("repeat", deadline=None, derandomize=True)
hypothesis_settings.load_profile("repeat")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have tests that commit empty only those tables afterwards that they can have filled.

    It takes as long as there are tables, and there are more than a hundred.
    """
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker is not None and marker.kwargs.get("transaction"):
            unused = LARGE_APPS - {package_of(value) for value in vars(item.module).values()}  # type: ignore[attr-defined]
            available = [app for app in settings.INSTALLED_APPS if app not in unused]
            options = {**marker.kwargs, "available_apps": available}
            item.add_marker(pytest.mark.django_db(**options), append=False)


def package_of(value: object) -> str:
    """Return the package of the module that defines `value`, if one does."""
    return str(getattr(value, "__module__", "")).rpartition(".")[0]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Close what tests that work as in production have left open, before databases are dropped."""
    yield
    pool.stop()


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allow this process and its servers as many open sockets as they may have at all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def thread() -> Iterator[Callable[[], Thread]]:
    """Starts threads that have a worker's connections."""
    with worker_threads() as start:
        yield start


@pytest.fixture(autouse=True)
def default_language() -> Iterator[None]:
    """Forget the language that a request of Django's test client has left in this thread."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def no_content_types() -> Iterator[None]:
    """Forget those that the test has loaded: their rows go with its own."""
    yield
    ContentType.objects.clear_cache()


@pytest.fixture(autouse=True)
def no_locations() -> Iterator[None]:
    """Forget what FastAPI keeps by the `id()` of endpoints: those of later tests may have the same.

    Its errors would name an endpoint of this test there.
    """
    yield
    fastapi.routing._endpoint_context_cache.clear()


@pytest.fixture
def all_workers_busy() -> Iterator[Callable[[], None]]:
    """Occupies the workers and the queue, where the settings allow one of each."""
    end = threading.Event()

    def occupy() -> None:
        pool.stop()
        assert pool.size == 0
        for _ in range(2):
            pool.submit(lambda: end.wait(10))

    yield occupy
    end.set()


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have psycopg's pool keep the connections."""
    connections.close_all()
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {"pool": {"min_size": 1}})
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    yield
    pool.stop()
    connections.close_all()
    cast("Any", connection).close_pool()


@pytest.fixture(autouse=True)
def no_prepared_functions() -> Iterator[None]:
    """Leave to the system check of a later test what is prepared by a module, not by this test."""
    before = set(prepared.decorated)
    yield
    prepared.decorated.intersection_update(before)
