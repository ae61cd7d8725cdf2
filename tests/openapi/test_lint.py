"""Is it told what the OpenAPI document leaves clients to guess?"""

import warnings
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, FastAPI, HTTPException, Response, Security
from fastapi.responses import HTMLResponse
from fastapi.security import APIKeyHeader
from starlette.requests import Request

from django_mullet import APIRouter, Create, ModelSchema, errors, operation_id
from django_mullet.openapi.lint import document_of, gaps
from tests.library.models import Book

HERE = "tests.openapi.test_lint."


class BookSchema(ModelSchema[Book]):
    title: str


router = APIRouter()


@pytest.fixture(autouse=True)
def empty_router() -> None:
    router.routes.clear()


def found(app: FastAPI | None = None) -> list[str]:
    if app is None:
        app = FastAPI(generate_unique_id_function=operation_id)
        app.include_router(router)
    return list(gaps(app, document_of(app)))


def untyped():  # type: ignore[no-untyped-def]  # noqa: ANN201
    return None


def nothing() -> int:
    return 0


def nowhere() -> int:
    raise HTTPException(404)


api_key = APIKeyHeader(name="X-API-Key")
optional_key = APIKeyHeader(name="X-API-Key", auto_error=False)


def get_user(key: Annotated[str, Security(api_key)]) -> str:
    return key


def get_known_user(key: Annotated[str | None, Security(optional_key)]) -> str:
    raise HTTPException(403 if key else 401)


ANSWER = (
    f"GET /books/ ({HERE}untyped): the type of its 200 response is unknown. Write "
    "'response_model=BookSchema', 'response_class=' with the class that it returns, or "
    "'status_code=204' if it has no body."
)


@pytest.mark.parametrize(
    "model", [None, Any, dict, dict[str, Any], list, list[Any], list[dict[str, Any]], dict | None]
)
def test_an_answer_of_which_nothing_is_said(model: Any) -> None:
    router.add_api_route("/books/", untyped, response_model=model)

    assert found() == [ANSWER]


@pytest.mark.parametrize(
    "options",
    [
        {"response_model": BookSchema},
        {"response_model": list[BookSchema]},
        {"response_model": BookSchema | None},
        {"response_model": dict[str, int]},
        {"response_model": int},
        {"response_class": HTMLResponse},
        {"response_class": Response},
        {"status_code": 204},
        {"include_in_schema": False},
    ],
)
def test_an_answer_of_which_something_is_said(options: dict[str, Any]) -> None:
    router.add_api_route("/books/", untyped, **options)

    assert found() == []


def test_items_of_a_stream_of_which_nothing_is_said() -> None:
    @router.get("/books/")
    def books() -> Any:
        yield {}

    assert [gap.partition(":")[0] for gap in found()] == [f"GET /books/ ({_name(books)})"]


def _name(endpoint: Callable[..., Any]) -> str:
    return f"{HERE}{endpoint.__qualname__}"


def test_a_body_of_which_nothing_is_said() -> None:
    @router.post("/books/")
    def create(body: dict[str, Any]) -> int: ...

    @router.put("/books/")
    def replace(body: Create[BookSchema]) -> int: ...

    @router.patch("/books/")
    def change(body: Annotated[Any, Body()]) -> int: ...

    advice = "the type of its body is unknown. Annotate it, for example 'body: Create[BookSchema]'."
    assert found() == [
        f"POST /books/ ({_name(create)}): {advice}",
        f"PATCH /books/ ({_name(change)}): {advice}",
    ]


def test_an_error_that_is_not_listed() -> None:
    router.add_api_route("/one/", nowhere, responses=errors(410, 422))

    assert found() == [
        (
            f"GET /one/ ({HERE}nowhere): it may answer 404 ('{HERE}nowhere'), which the "
            "document does not list. Write 'responses=errors(404, 410)' with 'from django_mullet "
            "import errors'."
        )
    ]


@pytest.mark.parametrize("responses", [errors(404), {"4XX": {}}, {"4xx": {}}, {"default": {}}])
def test_an_error_that_is_listed(responses: Any) -> None:
    for response in responses.values():
        response.setdefault("description", "Wrong.")
    router.add_api_route("/one/", nowhere, responses=responses)

    assert found() == []


def test_a_security_scheme_whose_refusal_is_not_listed() -> None:
    depends: Any = Depends(get_user)
    router.add_api_route("/no/", nothing, name="no", dependencies=[depends])
    for status in (401, 403):
        router.add_api_route(
            f"/{status}/",
            nothing,
            name=str(status),
            dependencies=[depends],
            responses=errors(status),
        )

    assert found() == [
        (
            f"GET /no/ ({HERE}nothing): it may answer 401 ('APIKeyHeader'), which the "
            "document does not list. Write 'responses=errors(401)' with 'from django_mullet import "
            "errors'."
        )
    ]


def test_a_security_scheme_whose_refusal_is_the_projects_own() -> None:
    router.add_api_route("/no/", nothing, dependencies=[Depends(get_known_user)])

    assert [gap.partition(": ")[2].partition(",")[0] for gap in found()] == [
        f"it may answer 401 ('{HERE}get_known_user') and 403 ('{HERE}get_known_user')"
    ]


def test_a_security_scheme_that_lets_everybody_in() -> None:
    router.add_api_route("/open/", nothing, dependencies=[Depends(optional_key)])

    assert found() == []


def test_routes_of_the_same_operation_id() -> None:
    router.add_api_route("/first/", nothing)
    router.add_api_route("/second/", nothing)

    assert found() == [
        (
            f"GET /second/ ({HERE}nothing): its operation id 'nothing' is also that of GET "
            f"/first/ ({HERE}nothing), and generated clients would have one function for both. "
            "Write a 'name=' for each."
        )
    ]


def test_methods_of_one_route_have_the_same_operation_id() -> None:
    router.add_api_route("/", nothing, methods=["PUT", "GET"])

    assert found() == [
        (
            f"PUT / ({HERE}nothing): its operation id 'nothing' is also that of GET / "
            f"({HERE}nothing), and generated clients would have one function for both. Write a "
            "route for each method."
        )
    ]


def test_no_operation_id() -> None:
    app = FastAPI(generate_unique_id_function=lambda route: "")
    app.add_api_route("/", nothing)

    assert found(app) == [
        (
            f"GET / ({HERE}nothing): it has no operation id, from which clients name "
            "its function. Write "
            "'operation_id=', or 'FastAPI(generate_unique_id_function=operation_id)' with 'from "
            "django_mullet import operation_id'."
        )
    ]


def test_a_document_that_leaves_operations_out_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = FastAPI()
    app.add_api_route("/left/out/", untyped, response_model=None)
    app.add_api_route("/books/", untyped, response_model=None, methods=["GET", "PUT"])
    document = {"paths": {"/books/": {"get": {"operationId": "x"}}}}
    monkeypatch.setattr(app, "openapi", lambda: document)

    assert document_of(app) == document
    assert found(app) == []


def test_what_is_no_operation_is_passed_over() -> None:
    app = FastAPI()
    app.add_route("/plain/", lambda request: Response())
    app.mount("/files", FastAPI())

    assert found(app) == []


def test_the_methods_of_a_path_have_a_fixed_order() -> None:
    app = FastAPI()

    async def endpoint(request: Request) -> None: ...

    app.add_api_route("/", endpoint, methods=["PUT", "POST", "GET", "DELETE"])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(document_of(app)["paths"]["/"]) == ["delete", "get", "post", "put"]
