#!/usr/bin/env bash
# Django 5.2.19, asgiref 3.13.0: `await sync_to_async(connection.close)()` does not close the
# connection that the async ORM uses.
#
# A good guess: `connection` is a proxy for the calling thread's connection, and `sync_to_async()`
# calls it in the thread of the async ORM, so that thread's connection is closed. But the attribute
# `close` is looked up before the hop, in the thread of the event loop: it is the method of another
# wrapper, which refuses to be used in that thread, or has nothing to close. A function that looks
# `connection` up when it runs closes the right one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "django==5.2.19" "asgiref==3.13.0"
cd "$folder"
cat > finding.py <<'PY'
import asyncio

import django
from asgiref.sync import sync_to_async
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "finding.sqlite3"}}
)
django.setup()

from django.db import connection


def query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def is_open() -> bool:
    return connection.connection is not None


def close() -> None:
    connection.close()


async def main() -> None:
    await sync_to_async(query)()
    try:
        await sync_to_async(connection.close)()
        told = "no error"
    except Exception as error:
        told = type(error).__name__
    print("looked up on the event loop:", told, "open:", await sync_to_async(is_open)())
    await sync_to_async(close)()
    print("looked up in the thread: open:", await sync_to_async(is_open)())


asyncio.run(main())
PY
"$folder/venv/bin/python" finding.py | tee output
grep -q "^looked up on the event loop: .* open: True$" output
grep -q "^looked up in the thread: open: False$" output
