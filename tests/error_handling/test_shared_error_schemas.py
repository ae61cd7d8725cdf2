"""Do the errors of a document share one schema?"""

from typing import Any

from django.test import override_settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from django_mullet import APIRouter, errors, mount_django


class Error(BaseModel):
    """The project's own."""


def document(**options: Any) -> dict[str, Any]:
    router = APIRouter(responses=errors(401))

    @router.get("/{pk}", responses=errors(404), **options)
    def get(pk: int) -> Any: ...

    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    served: dict[str, Any] = TestClient(app).get("/openapi.json").json()
    assert served == app.openapi()
    return served


def schema_of(found: dict[str, Any], status: str) -> Any:
    [media] = found["paths"]["/{pk}"]["get"]["responses"][status]["content"].values()
    return media["schema"]


def test_errors_refer_to_one_schema() -> None:
    found = document()
    schemas = found["components"]["schemas"]

    assert schema_of(found, "401") == schema_of(found, "404")
    assert schema_of(found, "404") == {"$ref": "#/components/schemas/Error"}
    text, items = schemas["Error"]["properties"]["detail"]["anyOf"]
    assert text == {"type": "string"}
    assert items == {"type": "array", "items": {"$ref": "#/components/schemas/ErrorItem"}}
    assert list(schemas) == ["Error", "ErrorItem", "HTTPValidationError", "ValidationError"]
    assert set(schemas["ErrorItem"]["properties"]) == {"loc", "msg", "type"}


@override_settings(MULLET={"PROBLEM_DETAILS": True})
def test_problems_refer_to_one_schema() -> None:
    found = document()
    schemas = found["components"]["schemas"]

    for status in ("401", "404", "422"):
        assert schema_of(found, status) == {"$ref": "#/components/schemas/Problem"}
    assert schemas["Problem"]["properties"]["errors"]["items"] == {
        "$ref": "#/components/schemas/ProblemItem"
    }
    assert set(schemas["ProblemItem"]["properties"]) == {"loc", "msg", "type", "pointer"}


def test_they_stay_as_they_are_where_the_project_has_a_schema_of_that_name() -> None:
    found = document(response_model=Error)

    assert schema_of(found, "404")["required"] == ["detail"]
    assert found["components"]["schemas"]["Error"]["description"] == "The project's own."
    assert "ErrorItem" not in found["components"]["schemas"]


def test_a_document_without_components_gets_them() -> None:
    router = APIRouter()
    router.add_api_route("/", lambda: None, responses=errors(404))
    app = FastAPI()
    app.include_router(router)
    mount_django(app)

    assert list(app.openapi()["components"]["schemas"]) == ["Error", "ErrorItem"]


def test_a_document_that_the_project_has_changed_is_taken_as_it_is() -> None:
    router = APIRouter()
    router.add_api_route("/", lambda: None, responses=errors(404))
    app = FastAPI()
    app.include_router(router)
    openapi = app.openapi

    def changed() -> dict[str, Any]:
        document = openapi()
        document["paths"]["/"] |= {"summary": "Home", "parameters": []}
        return document

    app.openapi = changed  # type: ignore[method-assign]
    mount_django(app)

    path = app.openapi()["paths"]["/"]

    assert path.keys() == {"get", "summary", "parameters"}
    assert path["get"]["responses"]["404"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Error"
    }
