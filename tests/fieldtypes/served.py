"""What do clients meet that are made for every kind of field? Rows that no request would have made.

`python -m tests.postgres -- python -m tests.fieldtypes.served -- COMMAND...` serves them while a
command runs, with the address in `FIELDS_URL`; errors are problem details.
"""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
if not apps.ready:
    django.setup()

from django.db import connection, models

from django_mullet import errors
from tests.fieldtypes import models as fieldtypes
from tests.fieldtypes import schemas
from tests.fieldtypes.api import app_of
from tests.server import database, running

__all__ = ["EVERY", "make_rows", "served"]

EVERY: list[Any] = [
    schemas.ArraysSchema,
    schemas.ComputedSchema,
    schemas.DocumentsSchema,
    schemas.DoubledSchema,
    schemas.FilesSchema,
    schemas.KeysSchema,
    schemas.LooseSchema,
    schemas.MomentsSchema,
    schemas.NamedSchema,
    schemas.NumbersSchema,
    schemas.RangesSchema,
    schemas.RelationsSchema,
    schemas.SearchableSchema,
    schemas.ShelvedSchema,
    schemas.TextsSchema,
]


def served() -> Any:
    """Return the application that a server serves."""
    app = app_of(*EVERY, responses=errors(404))
    app.add_api_route("/api/health", lambda: None, include_in_schema=False)
    return app


def make_rows() -> None:
    """Make rows of what a column may hold: empty, null, and older than its validators."""
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    old = {"slug": "no slug", "email": "nobody", "url": "nowhere", "color": "blue"}
    named = fieldtypes.Named(name="no slug")
    rows: list[models.Model] = [
        fieldtypes.Arrays(integers=[], texts=[""], moments=[moment], decimals=[], blobs=[b""]),
        fieldtypes.Arrays(integers=[1], matrix=[[1]], decimals=[Decimal("-0.5")], documents=[{}]),
        fieldtypes.Computed(side=2),
        fieldtypes.Documents(document=models.Value(None, models.JSONField()), default=[None]),
        fieldtypes.Documents(document={"a": [1.5, "", None]}, nullable=None),
        fieldtypes.Doubled(side=None),
        fieldtypes.Files(binary=b"\0\xff", short=None, file="", path=""),
        fieldtypes.Keys(uuid="6ba7b810-9dad-41d1-80b4-00c04fd430c8", ip="::1", ipv4="::1"),
        fieldtypes.Loose(),
        fieldtypes.Loose(char="a", **old),
        fieldtypes.Moments(
            date=date.min, datetime=moment, time="12:00", duration=-timedelta(seconds=1.5)
        ),
        named,
        fieldtypes.Numbers(
            small=-(2**15),
            integer=2**31 - 1,
            big=2**53 - 1,
            positive_small=0,
            positive=0,
            positive_big=0,
            decimal=Decimal("0.001"),
            float=1e300,
            boolean=False,
            stars=7,
        ),
        fieldtypes.Ranges(integers=(1, 5)),
        fieldtypes.Ranges(
            integers=(None, None),
            bigs=(1, 1),
            decimals=(Decimal("1.50"), None),
            dates=(date(2026, 1, 31), None),
            moments=(moment, None),
            several=[(1, 2)],
        ),
        fieldtypes.Relations(named=named),
        fieldtypes.Searchable(),
        fieldtypes.Composite(shelf="", place=1, title=""),
        fieldtypes.Texts(),
        fieldtypes.Texts(char="a", **old),
    ]
    for row in rows:
        row.save()


def main(command: list[str]) -> int:
    """Run `command` while a server has the rows, and return its exit code."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    make_rows()
    connection.close()
    # At an address that changes: for the command, in its environment.
    with running(
        "tests.fieldtypes.served:served",
        databases={"default": database()},
        mullet={"PROBLEM_DETAILS": True},
        command=lambda app, port: ["uvicorn", app, "--factory", "--port", str(port)],
    ) as server:
        environment = {**os.environ, "FIELDS_URL": server.url}
        code = subprocess.run(command, env=environment, check=False).returncode
        if code:
            sys.stderr.write(server.log())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
