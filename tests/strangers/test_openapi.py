"""Do the routes of all models make one document, with a name for each schema that stays?"""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from fastapi import FastAPI
from openapi_spec_validator import validate

from django_mullet import APIClient, mount_django, schema_for
from project.api import application, path_of, router_of
from project.registry import Model, component_of, models_of_packages

pytestmark = pytest.mark.xdist_group("document")


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    document: dict[str, Any] = APIClient(app).get("/openapi.json").json()
    return document


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")

    validate(document)  # type: ignore[arg-type]


def test_each_model_has_its_routes(document: dict[str, Any]) -> None:
    paths = {path: set(operations) for path, operations in document["paths"].items()}

    expected = {}
    for model in models_of_packages():
        expected[f"/api{path_of(model)}/"] = {"get", "post"}
        expected[f"/api{path_of(model)}/{{key}}/"] = {"get", "patch"}
    assert paths == expected


def test_each_model_has_its_schemas(document: dict[str, Any]) -> None:
    names = [component_of(model) for model in models_of_packages()]
    schemas = document["components"]["schemas"]

    assert len(set(names)) == len(names)
    ours = {f"{name}{variant}" for name in names for variant in ("", "Create", "Patch")}
    errors = {"Error", "ErrorItem", "HTTPValidationError", "ValidationError"}
    assert schemas.keys() - ours == {"JsonValue", *errors}
    assert ours <= schemas.keys()
    assert all(schemas[name]["title"] == name for name in names)


def test_the_names_stay_whatever_comes_first(document: dict[str, Any]) -> None:
    app = application(reversed(models_of_packages()))

    assert app.openapi()["components"] == document["components"]


def test_models_of_the_same_name_are_told_of() -> None:
    def lines(model: Model) -> bool:
        return model.__name__ == "Line"

    app = FastAPI()
    for model in filter(lines, models_of_packages()):
        app.include_router(router_of(model, schema_for(model)))
    mount_django(app)

    with pytest.raises(ImproperlyConfigured, match="have the same name in the OpenAPI document"):
        app.openapi()
