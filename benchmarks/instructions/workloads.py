"""What is counted? Hot functions of the library, and a reference that has nothing to do with it.

`python -m benchmarks.instructions.workloads LIBRARY` runs them; LIBRARY tells valgrind when.
"""

import asyncio
import ctypes
import gc
import json
import os
import sys
from collections.abc import Callable
from datetime import date

import django

__all__ = ["REFERENCE", "run"]

REFERENCE = "reference"
WARM_UP, CALLS = 5, 20

Workloads = dict[str, Callable[[], object]]


def run(library: str) -> None:
    """Run each workload, with valgrind counting."""
    valgrind = ctypes.PyDLL(library)
    for name, function in workloads().items():
        for _ in range(WARM_UP):
            function()
        gc.collect()
        gc.disable()
        valgrind.start()
        for _ in range(CALLS):
            function()
        valgrind.stop(name.encode())
        gc.enable()


def workloads() -> Workloads:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.instructions.settings")
    django.setup()
    create_rows()
    return {REFERENCE: reference, **schemas(), **queries(), **routes()}


def reference() -> object:
    """Plain Python: dictionaries, strings, calls and JSON."""
    rows = [{"id": number, "name": f"Row {number}", "tags": [number] * 3} for number in range(200)]
    total = sum(len(row["name"]) for row in json.loads(json.dumps(rows)))
    return sorted(rows, key=lambda row: str(row["name"])), total


def create_rows() -> None:
    from django.db import connection

    from shop.models import Simulation, User

    with connection.schema_editor() as editor:
        editor.create_model(User)
        editor.create_model(Simulation)
    user = User.objects.create(username="user", api_key="key")
    Simulation.objects.bulk_create(
        Simulation(
            id=f"{number:020d}",
            user=user,
            name=f"Simulation {number}",
            start_date=date(2026, 1, 1),
            end_date=date(2026, 2, 1),
        )
        for number in range(100)
    )


def schemas() -> Workloads:
    from pydantic import TypeAdapter

    from django_mullet import Patch
    from schemas import ArticleSchema, SimulationSchema
    from shop.models import Article, Author, Simulation

    rows = list(Simulation.objects.all())
    article = Article(id=1, title="Title", slug="slug", body="Body", author=Author(id=1, name="A"))
    article.published_at = "2026-01-01T00:00:00Z"
    article._prefetched_objects_cache = {"tags": []}
    body: TypeAdapter[SimulationSchema] = TypeAdapter(Patch[SimulationSchema])
    return {
        "from_model": lambda: SimulationSchema.from_model(rows[0]),
        "from_model, nested": lambda: ArticleSchema.from_model(article),
        "from_qs of 100 instances": lambda: SimulationSchema.from_qs(rows),
        "from_qs of 100 rows": lambda: SimulationSchema.from_qs(Simulation.objects.order_by("id")),
        "Patch, and update": lambda: body.validate_json(b'{"name": "A new name"}').update(rows[0]),
    }


def queries() -> Workloads:
    from django.db import connection

    from queries import simulations_of, users_of
    from schemas import SimulationSchema

    sql = "SELECT id, name FROM shop_simulation WHERE user_id = %s ORDER BY id LIMIT 1"

    def raw() -> object:
        with connection.cursor() as cursor:
            return cursor.execute(sql, [1]).fetchall()

    def get() -> object:
        return SimulationSchema.get_or_404(simulations_of(1), pk=f"{0:020d}")

    return {
        "Django's cursor": raw,
        "prepared, a row": lambda: simulations_of(1).values_list("id", "name")[0],
        "prepared, first()": lambda: users_of("key").first(),
        "prepared, get_or_404()": get,
        "prepared, from_qs()": lambda: SimulationSchema.from_qs(simulations_of(1)),
    }


def routes() -> Workloads:
    from app_def import app

    loop = asyncio.new_event_loop()
    app.get("/plain")(plain)

    def asking(path: str) -> Callable[[], object]:
        return lambda: loop.run_until_complete(ask(app, path))

    return {
        "FastAPI's async def": asking("/plain"),
        "def, one row": asking(f"/api/simulations/{0:020d}/"),
        "def, 100 rows": asking("/api/simulations/"),
    }


async def plain() -> dict[str, int]:
    return {"answer": 42}


async def ask(app: Callable[..., object], path: str) -> None:
    """Make a request, as a server would."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"x-api-key", b"key")],
        "state": {},
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"'{path}' was answered by {message['status']}.")

    await app(scope, receive, send)  # type: ignore[misc]


if __name__ == "__main__":
    run(sys.argv[1])
    sys.stdout.flush()
    os._exit(0)  # the worker threads need not end under valgrind
