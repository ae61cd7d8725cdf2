"""Is the OpenAPI document byte for byte that of FastAPI?"""

import enum
import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

import pytest
from fastapi import (
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    Query,
    Request,
    Security,
    UploadFile,
)
from fastapi import Path as PathParam
from fastapi.responses import PlainTextResponse
from fastapi.security import APIKeyHeader, HTTPBasic, OAuth2PasswordBearer, SecurityScopes
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel, Field

from django_mullet import APIRouter

pytestmark = pytest.mark.django_db


def test_the_openapi_document_is_byte_for_byte_fastapi_s() -> None:
    import fastapi

    ours, theirs = described(APIRouter), described(fastapi.APIRouter)

    assert json.dumps(ours) == json.dumps(theirs)
    assert len(ours["paths"]) == 14
    assert set(ours["webhooks"]) == {"created"}


class Color(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=0, le=9, description="left")] = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    color: Color = Color.RED
    friends: list["Dog | Cat"] = []


class Headers(BaseModel):
    x_trace: str
    accept_language: str | None = None


class Problem(BaseModel):
    detail: str


class Pages:
    """A page."""

    def __init__(self, page: int = 1, size: Annotated[int, Query(le=100)] = 10) -> None: ...


def described(router_class: Any) -> dict[str, Any]:  # noqa: C901 - a list, not a program
    """Return the document of an application that uses about everything."""
    oauth = OAuth2PasswordBearer(tokenUrl="token", scopes={"read": "Read", "write": "Write"})
    key = APIKeyHeader(name="X-Key", description="a key")

    def user(scopes: SecurityScopes, token: Annotated[str, Depends(oauth)]) -> str:
        return token

    class Permission:
        def __call__(
            self,
            user: Annotated[str, Security(user, scopes=["write"])],
            x_tenant: Annotated[str | None, Header()] = None,
        ) -> str:
            return user

    def generator(user: Annotated[str, Depends(user)]) -> Iterator[str]:
        yield user

    async def async_generator(deep: Annotated[int, Query(alias="deep-down")] = 0) -> Any:
        yield deep

    callbacks, router = router_class(), router_class(tags=["all"])

    @callbacks.post("{$request.body.url}/done", response_model=Problem)
    def done(body: Cat) -> None:
        """Called back."""

    @router.get("/union/{color}", summary="A union", response_description="One or the other")
    def union(color: Color, pages: Annotated[Pages, Depends()]) -> Dog | Cat | None:
        """Return a pet.

        In *markdown*.
        """

    @router.post("/body/{pk}", status_code=201, responses={409: {"model": Problem}})
    async def body(
        pk: Annotated[int, PathParam(gt=0, title="Key")],
        pet: Annotated[Dog | Cat, Body(discriminator="kind")],
        note: Annotated[str, Body(examples=["n"])] = "",
    ) -> Cat: ...

    @router.put("/form")
    def form(a: Annotated[str, Form()], b: Annotated[list[int], Form()]) -> None: ...

    @router.put("/form-model")
    def form_model(form: Annotated[Cat, Form()]) -> None: ...

    @router.post("/files")
    def files(
        one: UploadFile,
        raw: Annotated[bytes, File(description="raw")],
        many: list[UploadFile] | None = None,
    ) -> list[str]: ...

    @router.get("/headers")
    def headers(
        all_headers: Annotated[Headers, Header()],
        session: Annotated[str | None, Cookie(deprecated=True)] = None,
    ) -> None: ...

    @router.get("/secured", dependencies=[Security(key), Depends(generator)])
    async def secured(
        permission: Annotated[str, Depends(Permission())],
        deep: Annotated[int, Depends(async_generator)],
        basic: Annotated[Any, Depends(HTTPBasic())],
        request: Request,
        tasks: BackgroundTasks,
    ) -> None: ...

    @router.delete("/gone", status_code=204, deprecated=True, operation_id="remove")
    def gone() -> None: ...

    @router.get("/hidden", include_in_schema=False)
    def hidden() -> None: ...

    @router.post("/callback", callbacks=callbacks.routes, openapi_extra={"x-own": [1]})
    def callback(url: str) -> None: ...

    @router.get("/model", response_model=list[Dog], response_model_exclude={"friends"})
    def model() -> Any: ...

    @router.get("/raw", response_class=PlainTextResponse)
    def raw() -> str: ...

    @router.get("/lines")
    def lines() -> Iterator[Cat]:
        yield Cat(kind="cat")

    @router.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[Cat]:
        yield Cat(kind="cat")

    @router.api_route("/both", methods=["PATCH"], name="named")
    def both(q: Annotated[set[int], Query(min_length=1)]) -> dict[str, list[Color]]: ...

    outer = router_class(dependencies=[Depends(user)], responses={418: {"description": "Tea"}})
    outer.include_router(router, prefix="/v1", tags=["one"], deprecated=None)
    app = FastAPI(title="T", version="2", dependencies=[Depends(Pages)], servers=[{"url": "/s"}])
    app.include_router(outer, prefix="/api")
    app.webhooks.post("created")(lambda body: None)
    return app.openapi()
