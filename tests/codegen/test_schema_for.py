"""Is a schema drafted, and written out, as a person would write it?"""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import models
from pydantic import TypeAdapter

from django_mullet import Create, ModelSchema, schema_for
from django_mullet.checks.schemas import messages_of
from django_mullet.codegen.schema_for import source_for
from tests.fieldtypes import models as fieldtypes
from tests.fieldtypes import schemas
from tests.library.models import Author, Book
from tests.relations.models import Guest, Project

CHECKED = Path(__file__).parent.parent.parent / "typing_tests" / "drafts"
MODELS = [
    *apps.get_app_config("fieldtypes").get_models(),
    *(Book, Author, User, Project, User.groups.through),
]


class Unheard(models.Field):  # type: ignore[type-arg]
    """A field of which nobody has said what it holds."""


class Special(models.Model):
    column = Unheard()

    class Meta:
        app_label = "undrafted"

    def __str__(self) -> str:
        return "special"


def annotations(schema: type[ModelSchema[Any]]) -> dict[str, Any]:
    return {name: info.annotation for name, info in schema.model_fields.items()}


def printed(*arguments: str) -> str:
    output = StringIO()
    call_command("schema", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_is_written_out_is_what_is_made(model: type[models.Model]) -> None:
    made = schema_for(model)
    namespace: dict[str, Any] = {"__name__": "pasted"}

    exec(source_for(model), namespace)

    written = namespace[f"{model.__name__}Schema"]
    assert annotations(written) == annotations(made)
    assert written.django_model() is made.django_model() is model
    assert list(messages_of(written)) == []
    TypeAdapter(Create[made]).json_schema()  # type: ignore[valid-type]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_what_is_made_is_what_a_person_would_write(model: type[models.Model]) -> None:
    by_hand = getattr(schemas, f"{model.__name__}Schema", None)
    if by_hand is None:
        assert model in (Author, Book, User, Project, User.groups.through)
        return

    assert annotations(schema_for(model)).items() <= annotations(by_hand).items()


@pytest.mark.parametrize("path", sorted(CHECKED.glob("*.py")), ids=lambda path: path.stem)
def test_what_is_printed_is_what_type_checkers_have_checked(path: Path) -> None:
    docstring, _, source = path.read_text().partition("\n\n")

    assert docstring == '"""What `manage.py schema` prints; checked by mypy and pyright."""'
    assert printed(f"{path.stem.replace('_', '.')}") == source


def test_a_schema_has_its_own_name_and_the_module_of_its_model() -> None:
    made = schema_for(Author, name="Writer")

    assert (made.__name__, made.__module__) == ("Writer", "tests.library.models")
    assert schema_for(Author).__name__ == "AuthorSchema"


def test_fields_are_chosen_and_left_out() -> None:
    assert list(schema_for(Book, fields=["title", "author"]).model_fields) == ["title", "author"]
    assert list(schema_for(Author, exclude=["id", "born"]).model_fields) == ["name", "prize"]
    assert "author_id" not in schema_for(Book, exclude=["author"]).model_fields


def test_the_link_to_a_base_is_left_out() -> None:
    assert list(schema_for(fieldtypes.Titled).model_fields) == ["name", "title", "pages"]


def test_a_relation_through_a_model_that_needs_more_is_shown_only() -> None:
    source = source_for(Project)

    assert "from django_mullet import ModelSchema, ReadOnly\n" in source
    assert source.endswith("    members: ReadOnly[list[int]]\n    fans: list[int]\n")
    assert schema_for(Project).is_read_only("members")
    assert not schema_for(Project).is_read_only("fans")


def test_a_model_that_django_has_made_is_found_by_its_relation() -> None:
    source = source_for(User.groups.through)

    assert "from django.contrib.auth.models import User\n" in source
    assert "class User_groupsSchema(ModelSchema[User.groups.through]):\n" in source


def test_a_model_that_a_function_elsewhere_has_made_is_found_in_its_app(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Author, "__module__", "django.db.models")

    assert "from tests.library.models import Author\n" in source_for(Author)


def test_secrets_are_left_out_unless_they_are_named() -> None:
    assert "secret" not in schema_for(Book).model_fields
    assert "password" not in schema_for(User).model_fields
    assert list(schema_for(Book, fields=["secret"]).model_fields) == ["secret"]
    assert "    # Left out, as secrets are: secret\n" in source_for(Book)
    assert "Left out" not in source_for(Book, exclude=["secret"])
    assert "Left out" not in source_for(Book, fields=["title"])


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        (
            User,
            ["password"],
            (
                "'password' of 'User' is a hash, that no API shows or takes: leave it out, by "
                'exclude=["password"]; to set it, write the schema with a field of its own, and '
                "call 'set_password()'."
            ),
        ),
        (
            Author,
            ["nmae"],
            "'Author' has no field 'nmae': name some of id, name, born, prize.",
        ),
        (
            Author,
            ["books"],
            "'Author' has no field 'books': name some of id, name, born, prize.",
        ),
        (
            Special,
            None,
            (
                "'undrafted.Special.column' is a 'Unheard', of which no annotation is known: "
                "leave it out of the schema, or write 'register_field_type(Unheard, "
                "annotation=...)', of "
                "'django_mullet'."
            ),
        ),
        (
            AbstractBaseUser,
            None,
            "'AbstractBaseUser' is abstract: take a model that inherits from it.",
        ),
        (
            Guest,
            None,
            (
                "'relations.Guest' is swapped for 'relations.Visitor' by 'RELATIONS_GUEST_MODEL' "
                "in the settings: take that."
            ),
        ),
    ],
    ids=str,
)
def test_what_cannot_be_drafted_says_so(model: Any, fields: Any, message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        schema_for(model, fields=fields)

    assert str(caught.value) == message


# manage.py schema


def test_the_command_prints_the_schema_of_a_model() -> None:
    source = printed("library.Author", "--exclude", "id", "born", "--name", "Writer")

    assert source == (
        "from django_mullet import ModelSchema\n\n"
        "from tests.library.models import Author\n\n\n"
        "class Writer(ModelSchema[Author]):\n"
        "    name: str\n"
        "    prize: str\n"
    )
    assert printed("library.Author", "--fields", "name").endswith("]):\n    name: str\n")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("library.Nothing", "There is no model 'Nothing' in the app 'library': it has 'library."),
        ("kitchen.Recipe", "no app in INSTALLED_APPS has the label 'kitchen': add 'kitchen' there"),
        ("librari.Book", "the label 'librari': is it 'library'?"),
        ("django.contrib.auth.User", "write it as 'shop.Book'."),
        ("django_mullet.Book", "the label 'django_mullet': write 'mullet' for it."),
        ("mullet.Book", "no model 'Book' in the app 'mullet': 'django_mullet.models' has none."),
    ],
)
def test_the_command_says_how_a_model_is_named(label: str, message: str) -> None:
    with pytest.raises(CommandError, match=re.escape(message)):
        printed(label)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Author"], "There is no model 'Author': write it as 'shop.Book'."),
        (
            ["library.Author", "--exclude", "x"],
            "'Author' has no field 'x': name some of id, name, born, prize.",
        ),
    ],
    ids=str,
)
def test_the_command_says_what_is_wrong(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        printed(*arguments)

    assert str(caught.value) == message
