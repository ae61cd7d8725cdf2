"""Does a route's OpenAPI document list the errors that it can answer?"""

from typing import Annotated, Any

import pytest
from django.test import override_settings
from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel

from django_mullet import APIRouter, Create, ModelSchema, Patch, ReadOnly, errors, retry_on_conflict
from tests.library.models import Author, Book, Tag


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str


class BornSchema(ModelSchema[Author]):
    id: int
    name: ReadOnly[str]
    prize: str


class AuthoredSchema(ModelSchema[Book]):
    author_id: int


class LanguageSchema(ModelSchema[Book]):
    language: str


class PriceSchema(ModelSchema[Book]):
    price: int
    secret: str


class Plain(BaseModel):
    name: str


def in_a_dependency(body: Patch[AuthorSchema]) -> None: ...


def takes_a_header(token: Annotated[str, Header()]) -> None: ...


def documented(make: Any) -> dict[str, Any]:
    """Return what the document lists for the routes that `make(router)` adds at "/"."""
    router = APIRouter()
    make(router)
    app = FastAPI()
    app.include_router(router)
    listed: dict[str, Any] = app.openapi()["paths"]["/"]["post"]["responses"]
    return listed


def taking(annotation: Any, **kwargs: Any) -> dict[str, Any]:
    def make(router: APIRouter) -> None:
        @router.post("/", **kwargs)
        def endpoint(body: annotation) -> None: ...

    return documented(make)


@pytest.mark.parametrize(
    ("annotation", "statuses"),
    [
        (Create[AuthorSchema], ["200", "409", "422"]),
        (Patch[AuthorSchema], ["200", "409", "422"]),
        (list[Create[AuthorSchema]], ["200", "409", "422"]),
        (Create[AuthoredSchema], ["200", "409", "422"]),
        (Create[LanguageSchema], ["200", "409", "422"]),
        (Create[BornSchema], ["200", "422"]),
        (Create[PriceSchema], ["200", "422"]),
        (Plain, ["200", "422"]),
    ],
)
def test_what_the_model_knows_to_be_unique_may_meet_its_like(
    annotation: Any, statuses: list[str]
) -> None:
    assert sorted(taking(annotation)) == statuses


def test_a_key_of_the_client_s_may_be_taken() -> None:
    class TagSchema(ModelSchema[Tag]):
        label: str

    assert "409" in taking(Create[TagSchema])


def test_the_body_of_a_dependency_counts() -> None:
    def make(router: APIRouter) -> None:
        @router.post("/", dependencies=[Depends(in_a_dependency)])
        def endpoint() -> None: ...

    assert sorted(documented(make)) == ["200", "409", "422"]


def test_a_request_that_may_run_again_may_be_in_conflict() -> None:
    def make(router: APIRouter) -> None:
        @router.post("/")
        @retry_on_conflict()
        def endpoint() -> None: ...

    assert sorted(documented(make)) == ["200", "409"]


@pytest.mark.parametrize("status", [409, "409", "4XX", "4xx", "default"])
def test_what_the_route_says_itself_stays(status: Any) -> None:
    listed = taking(Create[AuthorSchema], responses={status: {"description": "Mine."}})

    assert "409" not in listed or listed["409"] == {"description": "Mine."}
    assert "Mine." in [response["description"] for response in listed.values()]


def test_other_errors_are_listed_where_the_route_says_so() -> None:
    listed = taking(Plain, responses=errors(403, 404))

    assert sorted(listed) == ["200", "403", "404", "422"]
    assert listed["404"]["description"] == "Not Found"
    [(media_type, content)] = listed["404"]["content"].items()
    assert media_type == "application/json"
    assert content["schema"]["required"] == ["detail"]


@override_settings(MULLET={"PROBLEM_DETAILS": True})
def test_problems_have_their_media_type() -> None:
    listed = taking(Create[AuthorSchema], responses=errors(404))

    assert sorted(listed) == ["200", "404", "409", "422"]
    for status in ("404", "409", "422"):
        [(media_type, content)] = listed[status]["content"].items()
        assert media_type == "application/problem+json"
        assert set(content["schema"]["properties"]) == {
            "type",
            "title",
            "status",
            "detail",
            "errors",
        }


@override_settings(MULLET={"PROBLEM_DETAILS": True})
@pytest.mark.parametrize(
    ("dependency", "statuses"), [(None, ["200"]), (takes_a_header, ["200", "422"])]
)
def test_only_what_takes_something_may_be_not_valid(dependency: Any, statuses: list[str]) -> None:
    def make(router: APIRouter) -> None:
        @router.post("/", dependencies=[Depends(dependency)] if dependency else [])
        def endpoint() -> None: ...

    assert sorted(documented(make)) == statuses
