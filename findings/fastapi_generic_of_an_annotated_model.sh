#!/usr/bin/env bash
# FastAPI 0.165.0: an application with a body of `Envelope[Annotated[Item, "new"]]` serves it, and has no
# OpenAPI document if Pydantic is 2.12.5; with Pydantic 2.13.0 it has.
#
# A good guess: FastAPI 0.165.0 supports Pydantic 2.12, and what a route takes is in its document. But to
# collect the models, FastAPI makes a `TypeAdapter` of each field of the generic model, with the model's
# configuration unless the field is a model itself; and an annotated model is none to it. Pydantic before
# 2.13 refuses a configuration beside a model. The route works: only `openapi()` raises.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > finding.py <<'PY'
from typing import Annotated, Generic, TypeVar

import pydantic
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

T = TypeVar("T")


class Item(BaseModel):
    name: str


class Envelope(BaseModel, Generic[T]):
    data: T


app = FastAPI()


@app.post("/")
def create(body: Envelope[Annotated[Item, "new"]]) -> str:
    return body.data.name


assert TestClient(app).post("/", json={"data": {"name": "a goat"}}).json() == "a goat"
try:
    app.openapi()
except pydantic.PydanticUserError as error:
    print("Pydantic", pydantic.VERSION, "-", error.code)
else:
    print("Pydantic", pydantic.VERSION, "- a document")
PY
for version in 2.12.5 2.13.0; do
    python3 -m venv "$version"
    "$version/bin/pip" install --quiet "fastapi==0.165.0" "pydantic==$version" "httpx==0.28.1"
    "$version/bin/python" finding.py
done > output
cat output
diff output - <<'OUTPUT'
Pydantic 2.12.5 - type-adapter-config-unused
Pydantic 2.13.0 - a document
OUTPUT
