#!/usr/bin/env bash
# Pydantic 2.11.10: in a union, a model with a wrap validator is not preferred for the fields it takes.
#
# A good guess: of a union of models, "smart" as it is by default, that one is chosen which takes most of
# the fields of an object, as the documentation of unions says, and a `model_validator(mode="wrap")` that
# does nothing but call its handler makes no difference. With 2.11 the fields behind such a validator are
# not counted, and the first model that fits is chosen, whatever else the object has. From 2.12 on they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/finding.py" <<'PY'
from types import SimpleNamespace
from typing import Any

from pydantic import VERSION, BaseModel, ConfigDict, TypeAdapter, model_validator


class Title(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    title: str


class Book(Title):
    pages: int


class Wrapped(BaseModel):
    @model_validator(mode="wrap")
    @classmethod
    def through(cls, value: Any, handler: Any) -> Any:
        return handler(value)


class WrappedTitle(Title, Wrapped): ...


class WrappedBook(Book, Wrapped): ...


book = SimpleNamespace(title="Iliad", pages=700)
plain = TypeAdapter(Title | Book).validate_python(book)
wrapped = TypeAdapter(WrappedTitle | WrappedBook).validate_python(book)
print(VERSION, type(plain).__name__, type(wrapped).__name__)
PY
for version in 2.11.10 2.12.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet "pydantic==$version"
    "$folder/$version/bin/python" "$folder/finding.py" | tee -a "$folder/output"
done
grep -qx "2.11.10 Book WrappedTitle" "$folder/output"
grep -qx "2.12.0 Book WrappedBook" "$folder/output"
