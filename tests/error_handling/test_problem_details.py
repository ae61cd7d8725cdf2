"""Is an error written as RFC 9457 says, where the setting wants it?"""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import Http404
from django.test import override_settings
from fastapi import FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel

from django_mullet import APIRouter, Create, ModelSchema, Overloaded, error_response, mount_django
from django_mullet.error_handling.problem_details import problem
from tests.library.models import Author, Book

pytestmark = pytest.mark.django_db

OUT_OF_CREDIT = "https://shop.example/out-of-credit"


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str


class Line(BaseModel):
    numbers: list[int] = []
    odd: dict[str, int] = {}


router = APIRouter(prefix="/api")


@router.post("/authors/", status_code=201)
def create(body: Create[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.delete("/authors/{pk}/")
def delete(pk: int) -> None:
    Author.objects.get(pk=pk).delete()


@router.post("/lines/")
def line(body: Line) -> None: ...


@router.get("/search/")
def search(q: Annotated[int, Query()], token: Annotated[int, Header()]) -> None: ...


@router.get("/raise/")
def raise_it(what: str) -> None:
    raise ERRORS[what]


ERRORS: dict[str, Exception] = {
    "http": HTTPException(402, "Pay.", headers={"X-Price": "3"}),
    "http of its own": HTTPException(403, {"type": OUT_OF_CREDIT, "status": 1, "balance": 30}),
    "http of many": HTTPException(400, ["a", {"loc": []}]),
    "http of a number": HTTPException(400, 3),
    "http unknown": HTTPException(499),
    "redirect": HTTPException(307, headers={"Location": "/there"}),
    "missing": Http404("No author."),
    "forbidden": PermissionDenied(),
    "wrong": ValidationError({"name": ["Dull."]}),
    "busy": Overloaded(),
    "bug": Author.DoesNotExist("the secret"),
    "database": OperationalError("the secret"),
}


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with override_settings(MULLET={"PROBLEM_DETAILS": True}):
        yield TestClient(app, raise_server_exceptions=False)


def members(title: str, status: int, detail: str, **more: Any) -> dict[str, Any]:
    return {"type": "about:blank", "title": title, "status": status, "detail": detail} | more


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("http", members("Payment Required", 402, "Pay.")),
        (
            "http of its own",
            {"type": OUT_OF_CREDIT, "title": "Forbidden", "status": 403, "balance": 30},
        ),
        (
            "http of many",
            members("Bad Request", 400, "The request has 2 errors.", errors=["a", {"loc": []}]),
        ),
        ("http of a number", members("Bad Request", 400, "3")),
        ("missing", members("Not Found", 404, "Not Found")),
        ("forbidden", members("Forbidden", 403, "Forbidden")),
        ("busy", members("Service Unavailable", 503, "The server is busy.")),
        ("bug", members("Internal Server Error", 500, "Internal Server Error")),
        ("database", members("Internal Server Error", 500, "Internal Server Error")),
    ],
)
def test_an_exception_is_a_problem(client: TestClient, what: str, expected: dict[str, Any]) -> None:
    answer = client.get("/api/raise/", params={"what": what})

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == expected
    assert answer.status_code == expected["status"]


def test_headers_stay(client: TestClient) -> None:
    assert client.get("/api/raise/?what=http").headers["x-price"] == "3"
    assert client.get("/api/raise/?what=busy").headers["retry-after"] == "5"


def test_a_lone_surrogate_has_no_place_in_a_pointer() -> None:
    [error] = problem(422, [{"loc": ["body", "\ud800"]}])["errors"]

    assert error["pointer"] == "#/?".replace("?", "%3F")


def test_a_status_without_a_name_has_a_title(client: TestClient) -> None:
    assert problem(499, "Gone.") == members("Error", 499, "Gone.")


def test_a_redirect_is_no_error(client: TestClient) -> None:
    answer = client.get("/api/raise/?what=redirect", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (307, "/there")
    assert answer.headers["content-type"] == "application/json"


def test_what_no_route_answers_is_a_problem(client: TestClient) -> None:
    assert client.get("/api/nowhere/").json() == members("Not Found", 404, "Not Found")
    answer = client.put("/api/authors/")
    assert answer.json() == members("Method Not Allowed", 405, "Method Not Allowed")
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_field_has_a_pointer(client: TestClient) -> None:
    answer = client.get("/api/raise/", params={"what": "wrong"})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"type": "value_error", "loc": ["body", "name"], "msg": "Dull.", "pointer": "#/name"}
    ]


def test_a_row_like_another_is_a_problem(client: TestClient) -> None:
    Author.objects.create(name="Homer")

    answer = client.post("/api/authors/", json={"name": "Homer"})

    error = {
        "type": "unique",
        "loc": ["body", "name"],
        "msg": "Author with this Name already exists.",
        "pointer": "#/name",
    }
    assert answer.status_code == 409
    assert answer.json() == members("Conflict", 409, "The request has 1 error.", errors=[error])


def test_what_others_refer_to_is_a_problem(client: TestClient) -> None:
    author = Author.objects.create(name="Homer")
    Book.objects.create(title="Iliad", price=5, author=author)

    answer = client.delete(f"/api/authors/{author.pk}/")

    assert answer.json() == members("Conflict", 409, "Other objects refer to this one.")


def test_a_body_that_is_not_valid_has_pointers_into_it(client: TestClient) -> None:
    body = {"numbers": [1, "x"], "odd": {"a/b~c d%": "x", "\N{GOAT}": "x", "\ud800": "x"}}

    answer = client.post(
        "/api/lines/",
        content=json.dumps(body),  # which escapes the lone surrogate
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "The request has 4 errors."
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "#/numbers/1",
        "#/odd/a~1b~0c%20d%25",
        "#/odd/%F0%9F%90%90",
        "#/odd/%EF%BF%BD%EF%BF%BD%EF%BF%BD",  # what Pydantic makes of it
    ]
    assert {frozenset(error) for error in answer.json()["errors"]} == {
        frozenset({"type", "loc", "msg", "pointer"})
    }


def test_what_is_not_in_the_body_has_no_pointer(client: TestClient) -> None:
    answer = client.get("/api/search/", params={"q": "x"})

    assert [(error["loc"], "pointer" in error) for error in answer.json()["errors"]] == [
        (["query", "q"], False),
        (["header", "token"], False),
    ]


def test_what_is_no_json_has_no_pointer(client: TestClient) -> None:
    headers = {"content-type": "application/json"}

    answer = client.post("/api/lines/", content=b"{x", headers=headers)

    [error] = answer.json()["errors"]
    assert (error["type"], error["loc"]) == ("json_invalid", ["body", 1])
    assert "pointer" not in error


def test_the_whole_body_has_the_empty_pointer(client: TestClient) -> None:
    [error] = client.post("/api/lines/", json=[]).json()["errors"]

    assert error["pointer"] == "#"


def test_without_the_setting_errors_are_fastapi_s(app: FastAPI) -> None:
    client = TestClient(app, raise_server_exceptions=False)

    assert client.get("/api/raise/?what=http").json() == {"detail": "Pay."}
    assert client.get("/api/raise/?what=http").headers["x-price"] == "3"
    assert client.get("/api/nowhere/").json() == {"detail": "Not Found"}
    assert client.get("/api/raise/?what=bug").text == "Internal Server Error"
    assert client.get("/api/raise/?what=http").headers["content-type"] == "application/json"


@pytest.mark.parametrize("problem_details", [False, True])
def test_what_a_message_quotes_may_have_no_encoding(app: FastAPI, problem_details: bool) -> None:
    @app.get("/surrogate/")
    def refuse() -> None:
        raise ValidationError("There is no '\ud800'.")

    with override_settings(MULLET={"PROBLEM_DETAILS": problem_details}):
        answer = TestClient(app).get("/surrogate/")

    assert answer.status_code == 422
    assert r"There is no '\ud800'." in answer.text
    assert answer.json()


def test_a_bug_is_raised_for_the_log(app: FastAPI) -> None:
    with (
        override_settings(MULLET={"PROBLEM_DETAILS": True}),
        pytest.raises(Author.DoesNotExist, match="the secret"),
    ):
        TestClient(app).get("/api/raise/?what=bug")


@pytest.mark.parametrize("key", [500, Exception])
def test_the_handlers_of_the_application_stay(key: Any) -> None:
    async def own(request: Request, exc: Exception) -> Response:
        return error_response(500, "own")

    app = FastAPI(exception_handlers={key: own, 404: own})
    app.include_router(router)
    mount_django(app)
    client = TestClient(app, raise_server_exceptions=False)

    assert client.get("/api/raise/?what=bug").json() == {"detail": "own"}
    assert client.get("/api/nowhere/").json() == {"detail": "own"}


def test_fastapi_s_handler_of_another_kind_stays() -> None:
    from starlette.exceptions import HTTPException as StarletteHTTPException

    async def own(request: Request, exc: Exception) -> Response:
        return error_response(418, "own")

    app = FastAPI(exception_handlers={StarletteHTTPException: own})
    app.include_router(router)
    mount_django(app)

    assert TestClient(app).get("/api/nowhere/").status_code == 418
