"""Does `manage.py export_openapi` write the OpenAPI document, and notice what becomes of it?"""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from fastapi import FastAPI
from pytest_django import Settings

from django_mullet import APIRouter, Create, ModelSchema, mount_django, operation_id
from tests.library.models import Author, Book


class BookSchema(ModelSchema[Book]):
    id: int
    title: str


class Other:
    class BookSchema(ModelSchema[Book]):
        title: str


class AuthorSchema(ModelSchema[Author]):
    name: str


def get_app(*routers: APIRouter) -> FastAPI:
    app = FastAPI(title="Bücher", generate_unique_id_function=operation_id)
    for router in routers:
        app.include_router(router)
    mount_django(app)
    return app


complete, gaping, clashing = APIRouter(), APIRouter(), APIRouter()


@complete.get("/books/", name="book-list", response_model=list[BookSchema])
def books() -> Any: ...


@complete.post("/authors/", name="author-create", response_model=AuthorSchema)
def create(body: Create[AuthorSchema]) -> Any: ...


@gaping.get("/anything/")
def anything() -> Any: ...


@clashing.get("/other/", response_model=Other.BookSchema)
def other() -> Any: ...


app = get_app(complete)
with_gaps = get_app(complete, gaping)
with_clashes = get_app(complete, clashing)

WARNING = (
    "WARNING: GET /anything/ (tests.management.test_export_openapi.anything): the type of "
    "its 200 response is unknown. Write 'response_model=BookSchema', 'response_class=' with the "
    "class that it returns, or 'status_code=204' if it has no body.\n"
)


@pytest.fixture(autouse=True)
def project(settings: Settings) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.app"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that holds the document."""
    file = tmp_path / "openapi.json"
    export("--output", str(file))
    return file


def export(*arguments: str) -> tuple[str, str]:
    """Return what the command writes to standard output and to standard error."""
    output, errors = StringIO(), StringIO()
    call_command("export_openapi", *arguments, stdout=output, stderr=errors, no_color=True)
    return output.getvalue(), errors.getvalue()


def edit(file: Path, change: Any) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def test_the_document_is_what_the_application_serves() -> None:
    output, errors = export()

    assert json.loads(output) == app.openapi()
    assert output.startswith('{\n  "openapi": "3.')
    assert output.endswith("}\n")
    assert '"title": "Bücher"' in output
    assert errors == ""


def test_the_document_is_written_to_a_file(file: Path) -> None:
    assert export("--output", str(file)) == ("", "")
    assert file.read_text(encoding="utf-8") == export()[0]


def test_the_indentation_can_be_chosen() -> None:
    assert export("--indent", "4")[0].startswith('{\n    "openapi": "3.')


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "openapi.json"

    with pytest.raises(CommandError) as caught:
        export("--output", str(file))

    assert str(caught.value) == f"'{file}' cannot be written: No such file or directory."


def test_writing_and_comparing_at_once_is_refused(file: Path) -> None:
    with pytest.raises(CommandError, match="not allowed with argument"):
        export("--output", str(file), "--check", str(file))


def test_a_file_that_is_up_to_date(file: Path) -> None:
    edit(file, lambda document: document["info"].update(document["info"]))  # formatted anew

    assert export("--check", str(file), "--fail-on-warnings") == ("", "")


def test_a_file_that_is_out_of_date(file: Path) -> None:
    before = file.read_text()

    def change(document: Any) -> None:
        document["info"]["title"] = "Books"
        del document["paths"]["/authors/"]["post"]["operationId"]
        document["components"]["schemas"]["Old"] = {}

    edit(file, change)
    changed = file.read_text()
    with pytest.raises(CommandError) as caught:
        export("--check", str(file))

    assert str(caught.value) == (
        f"'{file}' is out of date:\n"
        '  ~ info > title: "Books" is "Bücher" now\n'
        "  + paths > /authors/ > post > operationId\n"
        "  - components > schemas > Old\n"
        f"Renew it: manage.py export_openapi --output {file}"
    )
    assert caught.value.returncode == 1
    assert file.read_text() == changed != before


def test_only_so_many_differences_are_told(file: Path) -> None:
    edit(file, lambda document: document.update({f"x-{number}": 1 for number in range(22)}))

    with pytest.raises(CommandError) as caught:
        export("--check", str(file), "--indent", "4")

    lines = str(caught.value).splitlines()
    assert lines[-3:] == [
        "  - x-19",
        "  and 2 more",
        f"Renew it: manage.py export_openapi --output {file} --indent 4",
    ]
    assert len(lines) == 1 + 20 + 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"

    with pytest.raises(CommandError) as caught:
        export("--check", str(file))

    assert str(caught.value) == (
        f"'{file}' cannot be read: No such file or directory. Write it: manage.py export_openapi "
        f"--output {file}"
    )


def test_a_file_that_is_no_document(tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    file.write_text("openapi: 3.1.0")

    with pytest.raises(CommandError) as caught:
        export("--check", str(file))

    assert str(caught.value) == (
        f"'{file}' is not JSON: Expecting value: line 1 column 1 (char 0). Regenerate it: "
        f"manage.py "
        f"export_openapi --output {file}"
    )


def test_what_the_document_lacks_is_told(settings: Settings) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.with_gaps"

    output, errors = export()

    assert json.loads(output)["paths"].keys() == {"/books/", "/authors/", "/anything/"}
    assert errors == WARNING


def test_what_the_document_lacks_may_be_an_error(settings: Settings, file: Path) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.with_gaps"

    with pytest.raises(CommandError) as caught:
        export("--output", str(file), "--fail-on-warnings")

    assert str(caught.value) == "The document leaves something to guess: 1 warning, see above."
    assert "/anything/" in file.read_text()


def test_schemas_of_the_same_name_are_reported(settings: Settings) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.with_clashes"

    with pytest.raises(CommandError, match="have the same name in the OpenAPI document, 'Book'"):
        export()


def test_a_setting_that_is_wrong_is_reported(settings: Settings) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.complete"

    with pytest.raises(CommandError, match="must name a FastAPI instance, not 'APIRouter'"):
        export()
