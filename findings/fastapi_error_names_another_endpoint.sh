#!/usr/bin/env bash
# FastAPI 0.165.0: the error for an invalid response may name an endpoint that does not exist any more.
#
# A good guess: what `ResponseValidationError` tells of the endpoint that has returned the value, its
# name, file and line, is that endpoint's. But FastAPI keeps them for good by the `id()` of the function
# and does not keep the function; another of its caches does, for the last some thousand endpoints.
# Where applications come and go in one process, as in tests, a new endpoint gets the address of one
# that was collected, and its errors the name and the line of that one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "fastapi==0.165.0" "httpx==0.28.1"
cd "$folder"
cat > finding.py <<'PY'
import gc
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import ResponseValidationError
from fastapi.testclient import TestClient


def make_first() -> Callable[[], Any]:
    def first() -> Any:
        return "not a number"

    return first


def make_second() -> Callable[[], Any]:
    def second() -> Any:
        return "not a number"

    return second


def told_of(endpoint: Callable[[], Any]) -> str | None:
    app = FastAPI()
    app.get("/", response_model=int)(endpoint)
    try:
        TestClient(app).get("/")
    except ResponseValidationError as error:
        return error.endpoint_function
    raise AssertionError("The response was valid.")


addresses = set()
for _ in range(6_000):
    endpoint = make_first()
    addresses.add(id(endpoint))
    assert told_of(endpoint) == "first"
del endpoint
gc.collect()
others = []
while id(endpoint := make_second()) not in addresses and len(others) < 1_000_000:
    others.append(endpoint)
assert id(endpoint) in addresses, "No address was used again."
print("of 'second' the error says:", told_of(endpoint))
PY
"$folder/venv/bin/python" finding.py | tee output
[ "$(cat output)" = "of 'second' the error says: first" ]
