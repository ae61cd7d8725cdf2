"""Is a schema that names one defined further down planned, taken and described as any other?"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import PydanticUserError, TypeAdapter

from django_mullet import Create
from django_mullet.checks.schemas import messages_of
from django_mullet.schemas.query_plan import plan_of
from tests.library.models import Author, Book

HEAD = """
from pydantic import BaseModel
from django_mullet import APIRouter
from django_mullet import Create, ModelSchema, Patch, ReadOnly, Writable, WriteOnly
from tests.library.models import Author, Book

router = APIRouter()
"""

ROUTES = """
@router.get("/", response_model=list[BookSchema])
def books():
    return Book.objects.all()

@router.get("/page", response_model=Page)
def page():
    return {"items": Book.objects.all()}

@router.post("/", response_model=BookSchema)
def create(body: Create[BookSchema]):
    return body.create(author=Author.objects.get(), price=1, language="en")
"""

BOOK = """
class BookSchema(ModelSchema[Book]):
    title: str
    author: "AuthorSchema"
    secret: "WriteOnly[Secret]"
"""

PAGE = """
class Page(BaseModel):
    items: "list[BookSchema]"
"""

AUTHOR = """
class AuthorSchema(ModelSchema[Author]):
    name: str
"""

SECRET = """
Secret = str
"""

ORDERS = {
    "below": [PAGE, BOOK, SECRET, AUTHOR, ROUTES],
    "below the routes": [PAGE, BOOK, ROUTES, SECRET, AUTHOR],
    "above": [SECRET, AUTHOR, BOOK, PAGE, ROUTES],
    "in another module": [
        PAGE,
        "import {other} as others\n",
        BOOK.replace("AuthorSchema", "others.AuthorSchema"),
        ROUTES,
        SECRET,
    ],
    "imported at the end": [PAGE, BOOK, ROUTES, SECRET, "from {other} import AuthorSchema"],
    "for type checkers": [
        "from typing import TYPE_CHECKING\n",
        "if TYPE_CHECKING:\n    from {other} import AuthorSchema\n",
        *(PAGE, BOOK, ROUTES, SECRET),
        "import {other}\n",
        "BookSchema.model_rebuild(_types_namespace=dict(vars({other}), Secret=Secret))\n",
    ],
    "as all annotations": [
        "from typing import TYPE_CHECKING\n",
        PAGE,
        BOOK.replace('"', ""),
        ROUTES,
        SECRET,
        AUTHOR,
    ],
}

numbers = count()


@contextmanager
def modules(directory: Path, *parts: str) -> Iterator[Any]:
    """Give a module of `parts`, with another that they may name."""
    number = next(numbers)
    other, name = f"other_{number}", f"named_{number}"
    future = "from __future__ import annotations\n" if "__future__" in parts else ""
    source = "\n".join(part for part in parts if part != "__future__").replace("{other}", other)
    (directory / f"{other}.py").write_text(HEAD + AUTHOR)
    (directory / f"{name}.py").write_text(future + HEAD + source)
    sys.path.insert(0, str(directory))
    try:
        yield import_module(name)
    finally:
        sys.path.remove(str(directory))
        for each in (other, name):
            sys.modules.pop(each, None)


def parts_of(order: str) -> list[str]:
    return [*(["__future__"] if order == "as all annotations" else []), *ORDERS[order]]


@contextmanager
def client(router: Any) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as client:
        yield client


ILIAD = {"title": "Iliad", "author": {"name": "Homer"}}


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_classes_is_no_matter(
    transactional_db: None, tmp_path: Path, order: str
) -> None:
    author = Author.objects.create(name="Homer")
    Book.objects.create(title="Iliad", price=1, author=author)

    with modules(tmp_path, *parts_of(order)) as module, client(module.router) as asked:
        posted = asked.post("/", json={"title": "O", "author": {"name": "x"}, "secret": "s"})
        shown = [asked.get(path).json() for path in ("/", "/page")]
        document = asked.get("/openapi.json").json()["components"]["schemas"]

    posted_book = {"title": "O", "author": {"name": "Homer"}}
    assert (posted.status_code, posted.json()) == (200, posted_book)
    assert shown == [[ILIAD, posted_book], {"items": [ILIAD, posted_book]}]
    assert Book.objects.get(title="O").secret == "s"
    assert [*document["BookCreate"]["properties"]] == ["title", "secret"]


@pytest.mark.parametrize("order", ORDERS)
def test_the_document_is_the_same_before_any_request(tmp_path: Path, order: str) -> None:
    with modules(tmp_path, *parts_of(order)) as module, client(module.router) as asked:
        found = asked.get("/openapi.json").json()

    with modules(tmp_path, *ORDERS["above"]) as module, client(module.router) as asked:
        assert found == asked.get("/openapi.json").json()


@pytest.mark.parametrize("order", ORDERS)
def test_so_are_queries_and_bodies_without_a_route(tmp_path: Path, order: str) -> None:
    with modules(tmp_path, *parts_of(order)) as module:
        assert list(plan_of(module.BookSchema).described()) == ["title, author(name)"]

    with modules(tmp_path, *parts_of(order)) as module:
        body = TypeAdapter(Create[module.BookSchema]).validate_python(  # type: ignore[name-defined]
            {"title": "x", "author": {"name": "y"}, "secret": "s"}
        )
    assert body.model_dump() == {"title": "x"}
    assert body.secret == "s"


def test_a_process_that_has_run_no_checks_plans_the_same(tmp_path: Path) -> None:
    """As under uvicorn, where `manage.py check` has not rebuilt the schemas."""
    source = "\n".join([HEAD, *ORDERS["below"]])
    (tmp_path / "bare.py").write_text(
        f"import django\ndjango.setup()\n{source}\n"
        "from django_mullet.schemas.query_plan import plan_of\n"
        "print(*plan_of(BookSchema).described())\n"
    )

    ended = subprocess.run(
        [sys.executable, tmp_path / "bare.py"],
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == "title, author(name)\n"


SHELF = """
class Shelf(ModelSchema[Author]):
    name: str
    books: "list[Volume]"

class Volume(ModelSchema[Book]):
    title: str
    author: "Owner"

class Owner(ModelSchema[Author]):
    name: str
"""


def test_names_lead_on_to_names(transactional_db: None, tmp_path: Path) -> None:
    author = Author.objects.create(name="Homer")
    Book.objects.create(title="Iliad", price=1, author=author)

    with modules(tmp_path, SHELF) as module:
        [shown] = module.Shelf.from_qs(Author.objects.all())
        assert shown.model_dump() == {"name": "Homer", "books": [ILIAD]}
        assert module.Volume.from_model(Book.objects.get()).model_dump() == ILIAD


CYCLES = {
    "itself": 'class A(ModelSchema[Author]):\n    books: "list[A]"\n',
    "each other": (
        'class A(ModelSchema[Author]):\n    books: "list[B]"\n\n'
        'class B(ModelSchema[Book]):\n    author: "A"\n'
    ),
}


@pytest.mark.parametrize("cycle", CYCLES)
def test_schemas_that_contain_each_other_are_refused(tmp_path: Path, cycle: str) -> None:
    message = "contains itself, so that what it shows may have no end"
    with pytest.raises(ImproperlyConfigured, match=message), modules(tmp_path, CYCLES[cycle]) as m:
        plan_of(m.A)


UNKNOWN = [PAGE, BOOK, ROUTES, SECRET]


def test_a_name_that_nothing_defines_is_told_with_what_to_write(
    transactional_db: None, tmp_path: Path
) -> None:
    with modules(tmp_path, *UNKNOWN) as module:
        name = module.__name__
        told = (
            f"'{name}.BookSchema' names 'AuthorSchema', which is not known there. Import it in "
            f"'{name}', below the class if need be, and not for type checkers alone; or write "
            "'BookSchema.model_rebuild()' where both are known."
        )
        for use in (
            lambda: plan_of(module.BookSchema),
            lambda: module.BookSchema.from_qs(Book.objects.all()),
            lambda: module.BookSchema.from_model(Book()),
            lambda: module.BookSchema.is_read_only("author"),
            lambda: client(module.router).__enter__().get("/"),
            lambda: client(module.router).__enter__().get("/page"),
        ):
            with pytest.raises(ImproperlyConfigured) as caught:
                use()
            assert str(caught.value) == told
        [message] = messages_of(module.BookSchema)

    assert (message.id, f"{message.msg} {message.hint}") == ("mullet.E004", told)


def test_pydantic_tells_who_validates_by_such_a_class(tmp_path: Path) -> None:
    with modules(tmp_path, *UNKNOWN) as module:
        for annotation in (module.BookSchema, Create[module.BookSchema]):
            with pytest.raises((PydanticUserError, ImproperlyConfigured), match="BookSchema"):
                TypeAdapter(annotation).validate_python({})
