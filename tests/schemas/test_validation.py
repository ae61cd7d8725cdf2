"""Are rows and results validated as Pydantic validates them, where that takes less?"""

from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import ResponseValidationError
from fastapi.testclient import TestClient
from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from django_mullet import APIRouter, LazyLoad, ModelSchema
from django_mullet.schemas.validation import are_of
from tests.catalogue.models import Person, Work

pytestmark = pytest.mark.django_db


class PersonSchema(ModelSchema[Person]):
    name: str


class WorkSchema(ModelSchema[Work]):
    title: str
    author: PersonSchema


class Checked(ModelSchema[Person]):
    name: str

    @model_validator(mode="after")
    def count(self) -> "Checked":
        checked.append(self.name)
        return self


class Revalidated(ModelSchema[Person]):
    model_config = ConfigDict(revalidate_instances="always")

    name: str


class Friends(ModelSchema[Person]):
    """Pydantic keeps the core schema of what it has twice in a list of definitions."""

    mentor: PersonSchema | None
    friends: list[PersonSchema]


class Own(ModelSchema[Person]):
    name: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = super().__get_pydantic_core_schema__(source, handler)
        return core_schema.no_info_after_validator_function(lambda own: own, schema)


checked: list[str] = []


@pytest.fixture(autouse=True)
def work() -> Work:
    return Work.objects.create(title="Iliad", author=Person.objects.create(name="Homer"))


def app_of(response_model: Any, result: Any) -> TestClient:
    router = APIRouter()

    @router.get("/", response_model=response_model)
    def get() -> Any:
        return result() if callable(result) else result

    app = FastAPI()
    app.include_router(router)
    return TestClient(app)


# Rows


def test_what_is_wrong_with_a_row_is_said_as_ever() -> None:
    class Short(ModelSchema[Person]):
        name: Annotated[str, Field(max_length=2)]

    with pytest.raises(ValidationError) as of_row:
        Short.from_qs(Person.objects.all())

    with pytest.raises(ValidationError) as of_instance:
        TypeAdapter(list[Short]).validate_python(list(Person.objects.all()))
    assert of_row.value.errors() == of_instance.value.errors()


def test_a_validator_that_queries_is_refused() -> None:
    class Curious(ModelSchema[Person]):
        name: str

        @field_validator("name")
        @classmethod
        def ask(cls, name: str) -> str:
            return str(Work.objects.filter(title=name).exists())

    with pytest.raises(LazyLoad, match="'Curious' queries for each object"):
        Curious.from_qs(Person.objects.all())


def test_code_after_the_fields_is_run() -> None:
    class Named(ModelSchema[Person]):
        name: str
        _loud: str = ""

        def model_post_init(self, context: Any) -> None:
            self._loud = self.name.upper()

    [named] = Named.from_qs(Person.objects.all())

    assert named._loud == "HOMER"


# Results


@pytest.mark.parametrize(
    ("response_model", "value", "expected"),
    [
        (PersonSchema, PersonSchema(name="Homer"), True),
        (PersonSchema, {"name": "Homer"}, False),
        (list[PersonSchema], [], True),
        (list[PersonSchema], [PersonSchema(name="Homer")], True),
        (list[PersonSchema], [PersonSchema(name="Homer"), {"name": "Sappho"}], False),
        (list[PersonSchema], (PersonSchema(name="Homer"),), False),
        (Checked, Checked(name="Homer"), False),
        (list[Revalidated], [Revalidated(name="Homer")], False),
        (list[Friends], [Friends(mentor=None, friends=[])], True),
        (Own, Own(name="Homer"), False),
    ],
)
def test_what_is_valid_at_a_glance(response_model: Any, value: Any, expected: bool) -> None:
    is_valid = are_of(response_model)

    assert is_valid is not None
    assert is_valid(value) is expected


def test_an_instance_of_a_subclass_is_left_to_pydantic() -> None:
    class More(PersonSchema):
        pass

    is_valid = are_of(PersonSchema)

    assert is_valid is not None
    assert not is_valid(More(name="Homer"))


@pytest.mark.parametrize("response_model", [None, int, list[int], dict[str, PersonSchema]])
def test_other_response_models_are_left_to_pydantic(response_model: Any) -> None:
    assert are_of(response_model) is None


def test_a_response_is_what_was_shown() -> None:
    client = app_of(list[WorkSchema], lambda: WorkSchema.from_qs(Work.objects.all()))

    assert client.get("/").json() == [{"title": "Iliad", "author": {"name": "Homer"}}]


def test_a_response_that_is_wrong_is_refused() -> None:
    with pytest.raises(ResponseValidationError, match="title"):
        app_of(list[WorkSchema], [{"author": {"name": "Homer"}}]).get("/")


def test_a_validator_of_the_whole_sees_the_response() -> None:
    result = Checked(name="Homer")
    checked.clear()

    assert app_of(Checked, result).get("/").json() == {"name": "Homer"}

    assert checked == ["Homer"]
