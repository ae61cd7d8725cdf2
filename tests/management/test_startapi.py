"""Does `manage.py startapi` write what works as it is?"""

import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.models import signals
from django.test.utils import isolate_apps
from pydantic import TypeAdapter
from pytest_django import Settings

from django_mullet import Create, schema_for
from django_mullet.codegen.examples import Row, body_of, example_of
from django_mullet.codegen.scaffold import Scaffold
from django_mullet.codegen.schema_for import source_for
from django_mullet.fields.samples import FORMATS
from tests.codegen.test_schema_for import Unheard
from tests.documentation import ROOT
from tests.fieldtypes.models import HERE, Arrays, Composite, Files, Numbers
from tests.library.models import Author, Book
from tests.relations.models import Room

PROJECT = ROOT / "tests" / "startapi_project"
TIMEOUT = 120  # seconds
RUFF = Path(sys.executable).parent / "ruff"
LONG_NAME = "AnnouncementOfTheDirectorOfTheZoologicalGarden"

MODELS = [
    *(each for each in apps.get_app_config("fieldtypes").get_models() if each is not Composite),
    *(Author, Book, Room),
]
MODELS_WITH_TABLES = [
    model
    for model in MODELS
    if model._meta.managed and model._meta.required_db_vendor in (None, connection.vendor)
]
GIVEN: dict[type[models.Model], dict[str, str]] = {
    Files: {"fieldtypes.Files.path": str(HERE / "models.py")}
}


@pytest.fixture
def application(settings: Settings) -> str:
    settings.ASGI_APPLICATION = "project.asgi.app"
    return settings.ASGI_APPLICATION


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, application: str) -> Path:
    """Where the command writes for models of the app, of which it knows no other place."""
    monkeypatch.setattr(apps.get_app_config("library"), "path", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def startapi(*arguments: str) -> str:
    output = StringIO()
    call_command("startapi", *arguments, stdout=output)
    return output.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        startapi(*arguments)
    return str(caught.value)


# The whole, in a project of its own


def run(project: Path, *commands: list[str]) -> str:
    """Run commands of `manage.py` in one process, and return what they print."""
    lines = ["import django", "from django.core.management import call_command", "django.setup()"]
    lines += [f"call_command(*{command!r})" for command in commands]
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(lines)],
        cwd=project,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the command has written for each model, and its reports been followed."""
    project = tmp_path_factory.mktemp("startapi") / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
    names = ["Keeper", "Tag", "Animal", "Bird", "TicketOffice", "Gate", "Census", LONG_NAME]
    report = run(
        project,
        *(["startapi", f"zoo.{name}"] for name in names),
        ["startapi", "zoo.Passport", "--example", "zoo.Passport.code=Z0815"],
    )
    written = re.findall(r"^from .+ import router as .+$|^app\.include_router.+$", report, re.M)
    assert len(written) == 2 * len([*names, "Passport"])
    with (project / "project" / "asgi.py").open("a") as asgi:
        asgi.write("\n".join(["", *written, ""]))
    return project


@pytest.mark.own_projects
def test_the_tests_that_it_writes_pass_with_the_routes_that_it_writes(project: Path) -> None:
    output = run(project, ["check", "--fail-level", "WARNING"], ["test"])

    assert re.search(r"^Ran 52 tests", output, re.M), output


def test_ruff_has_nothing_to_format(project: Path) -> None:
    subprocess.run([RUFF, "format", "--isolated", "--check", project / "zoo"], check=True)


def test_nothing_is_left_of_a_test_that_no_body_fails(project: Path) -> None:
    assert "422" in (project / "zoo" / "test_animal_api.py").read_text()
    assert "422" not in (project / "zoo" / "test_ticket_office_api.py").read_text()


# What it writes


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_names_as_people_give_them_need_no_formatter(
    model: type[models.Model], tmp_path: Path
) -> None:
    for path, source in Scaffold(model, "project.asgi.app", GIVEN.get(model, {})).files().items():
        (tmp_path / path.name).write_text(source)

    subprocess.run([RUFF, "format", "--isolated", "--check", tmp_path], check=True)


def test_the_files_and_the_report_of_a_model(library: Path) -> None:
    report = startapi("library.Author")

    assert sorted(path.name for path in library.glob("*.py")) == [
        "author_api.py",
        "author_schemas.py",
        "test_author_api.py",
    ]
    assert report == (
        "Wrote author_schemas.py, author_api.py and test_author_api.py.\n\n"
        "Anybody may call these routes, and change what is stored: dependencies of the router in\n"
        "'tests.library.author_api' may say who. In 'project.asgi' write:\n\n"
        "from tests.library.author_api import router as author_router\n\n"
        'app.include_router(author_router, prefix="/api")\n'
    )


def test_tests_go_where_the_others_are(library: Path) -> None:
    (library / "tests").mkdir()

    startapi("library.Author")

    assert (library / "tests" / "test_author_api.py").exists()


def test_values_of_examples_are_json_or_text(library: Path) -> None:
    startapi(
        "library.Book",
        *("--example", "library.Book.title=Ἰλιάς"),
        *("--example", 'library.Book.tags=["a"]'),
        *("--example", "library.Author.name=Homer"),
        *("--example", "library.Book.price=12.5"),
    )

    source = (library / "test_book_api.py").read_text()
    assert '"title": "Ἰλιάς",' in source
    assert '"price": 12.5,' in source
    assert 'name="Homer",' in source
    assert re.search(r'"tags": \[\s+"a",\s+\],', source)


def test_without_ruff_the_files_stay_as_they_are(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(library / "python"))
    monkeypatch.setenv("PATH", str(library))

    startapi("library.Author")

    assert (library / "author_api.py").exists()


# What it refuses


def test_no_file_is_replaced(library: Path) -> None:
    (library / "author_api.py").write_text("mine")

    assert refused("library.Author") == "'author_api.py' exists: move it away, or keep it."
    assert [path.read_text() for path in library.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["kitchen.Recipe"],
            (
                "There is no model 'kitchen.Recipe', as no app in INSTALLED_APPS has the label "
                "'kitchen': add 'kitchen' there, or the dotted path of its package."
            ),
        ),
        (["Author"], "There is no model 'Author': write it as 'shop.Book'."),
        (
            ["auth.User"],
            "'auth.User' comes with a package: write its routes by hand, in an app of your own.",
        ),
        (
            ["fieldtypes.Composite"],
            "'fieldtypes.Composite' has a key of several columns: write its routes by hand.",
        ),
        (
            ["library.Book_tags"],
            (
                "'library.Book_tags' is made by Django for a many-to-many relation: write the API "
                "of 'library.Book', of which the relation is a list of keys."
            ),
        ),
        (
            ["fieldtypes.Files"],
            (
                "No value of 'fieldtypes.Files.path' is known that its model takes: write "
                "--example fieldtypes.Files.path=VALUE."
            ),
        ),
        (
            ["catalogue.Person"],
            (
                "No value of 'catalogue.Person.friends' is known that its model takes: write "
                "--example catalogue.Person.friends=VALUE."
            ),
        ),
        (
            ["library.Author", "--example", "library.Author.nmae=Homer"],
            "No request sends 'library.Author.nmae'.",
        ),
        (
            ["library.Author", "--example", "library.Author.name"],
            "'library.Author.name' must be written as '--example library.Author.name=VALUE'.",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_written_says_so(
    arguments: list[str], message: str, application: str
) -> None:
    assert refused(*arguments) == message


@isolate_apps("tests.library")
def test_a_field_of_which_nothing_is_known_is_told_with_what_there_is_to_do(library: Path) -> None:
    class Shape(models.Model):
        name = models.CharField(max_length=9)
        area = Unheard()

        class Meta:
            app_label = "library"

        def __str__(self) -> str:
            return self.name

    with pytest.raises(ImproperlyConfigured) as caught:
        Scaffold(Shape, "project.asgi.app", {}).files()

    command = "manage.py schema library.Shape --exclude area"
    assert str(caught.value) == (
        "'library.Shape.area' is a 'Unheard', of which no annotation is known: write "
        "'register_field_type(Unheard, annotation=...)', of 'django_mullet', or the routes by "
        f"hand, with the schema of '{command}'."
    )
    source = source_for(Shape, exclude=[command.rpartition(" ")[2]])
    assert source.splitlines()[-2:] == ["    id: int", "    name: str"]


def test_a_column_that_nobody_sets_is_told(
    monkeypatch: pytest.MonkeyPatch, application: str
) -> None:
    monkeypatch.setattr(Numbers._meta.get_field("integer"), "editable", False)

    assert refused("fieldtypes.Numbers") == (
        "'fieldtypes.Numbers' is not stored without 'integer', which no request sends, as it has "
        "'editable=False': give it a default, or set it in 'save()'."
    )


def test_a_model_with_a_receiver_before_save_may_set_what_no_request_sends(
    monkeypatch: pytest.MonkeyPatch, library: Path
) -> None:
    monkeypatch.setattr(Author._meta.get_field("born"), "editable", False)
    monkeypatch.setattr(Author._meta.get_field("born"), "null", False)
    monkeypatch.setattr(Author._meta.get_field("born"), "blank", False)

    def receiver(**kwargs: Any) -> None: ...

    assert "is not stored without 'born'" in refused("library.Author")
    signals.pre_save.connect(receiver, sender=Author)
    try:
        startapi("library.Author")
    finally:
        signals.pre_save.disconnect(receiver, sender=Author)


class ToArchive:
    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return "archive"


def test_a_model_of_another_database_needs_other_routes(
    settings: Settings, application: str
) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.ToArchive"]

    assert refused("library.Author") == (
        "'library.Author' is stored in 'archive', by DATABASE_ROUTERS, where 'Atomic' opens no "
        "transaction: write its routes by hand, with 'with atomic(using=\"archive\"):', of "
        "'django_mullet', around 'select_for_update()' and 'save()', and their tests "
        'with \'databases = {"default", "archive"}\'.'
    )


def test_a_project_without_an_application_is_told_what_to_set() -> None:
    assert refused("library.Author").startswith("The setting 'ASGI_APPLICATION' must name")


# The values of its tests


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS_WITH_TABLES, ids=lambda model: model.__name__)
def test_an_object_is_made_of_what_is_sent(model: type[models.Model]) -> None:
    body = stored(body_of(model, GIVEN.get(model, {})))
    create: Any = TypeAdapter(Create[schema_for(model)])  # type: ignore[misc]

    created = create.validate_python(body).create()

    assert model._default_manager.get() == created


def stored(value: Any) -> Any:
    match value:
        case Row():
            row = value.model._default_manager.create(**stored(dict(value.values)))
            return getattr(row, value.key.attname)
        case dict():
            return {name: stored(item) for name, item in value.items()}
        case list():
            return [stored(item) for item in value]
        case _:
            return value


class Switch(models.Model):
    on = models.BooleanField()
    key = models.UUIDField(unique=True)
    mail = models.EmailField(unique=True)
    page = models.URLField(unique=True)
    number = models.IntegerField()
    side = models.CharField(max_length=5, choices={"north": "North", "south": "South"})
    name = models.CharField(max_length=3, unique=True)
    note = models.CharField(max_length=3)

    class Meta:
        app_label = "startapi"
        unique_together = (("number", "side", "on"),)

    def __str__(self) -> str:
        return str(self.on)


class Lamp(models.Model):
    first = models.ForeignKey(Switch, models.CASCADE, related_name="+")
    second = models.ForeignKey(Switch, models.CASCADE, related_name="+")
    arrays = models.ForeignKey(Arrays, models.CASCADE, related_name="+")

    class Meta:
        app_label = "startapi"

    def __str__(self) -> str:
        return str(self.pk)


def test_rows_that_a_row_needs_have_arrays_and_values_of_their_own() -> None:
    body = body_of(Lamp, {})

    assert body["arrays_id"].values == {"integers": [1]}
    first, second = body["first_id"].values, body["second_id"].values
    assert {name: (first[name], second[name]) for name in first} == {
        "on": (True, True),
        "key": (FORMATS["uuid"], FORMATS["uuid"].replace("6", "7", 1)),
        "mail": ("somebody@example.com", "1somebody@example.com"),
        "page": ("https://example.com/", "https://example.com/1"),
        "number": (1, 2),
        "side": ("north", "south"),
        "name": ("tex", "te1"),
        "note": ("tex", "tex"),
    }


def test_one_value_that_is_given_is_not_enough_for_two_rows() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        body_of(Lamp, {"startapi.Switch.name": "abc"})

    assert str(caught.value) == (
        "The tests need several rows of 'startapi.Switch', and 'startapi.Switch.name' is unique: "
        "write them by hand, with a value for each."
    )


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "minLength": 6}, "texttt"),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "string", "format": "unheard"}, "text"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5, "maximum": 9}, 5),
        ({"type": "number", "maximum": -2}, -2),
        ({"type": "boolean"}, True),
        ({"type": "array"}, []),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"enum": ["b", "a"], "type": "string"}, "b"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"$ref": "#/$defs/Any"}, {}),
    ],
    ids=str,
)
def test_the_example_of_a_json_schema(schema: dict[str, Any], value: Any) -> None:
    assert example_of(schema, {"Any": {}}) == value
