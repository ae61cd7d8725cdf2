"""Do forms, files and bodies arrive, and are bad ones refused as in FastAPI?"""

import asyncio
import json
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, FastAPI, File, Form, Request, UploadFile

from django_mullet import APIRouter
from tests.asgi_scopes import scope_of
from tests.fastapi_features import needs_body_limits
from tests.routing.serving import Named, here, serve

pytestmark = pytest.mark.django_db


def test_a_form_arrives(router: APIRouter) -> None:
    @router.post("/sync")
    def sync(name: Annotated[str, Form()], n: Annotated[int, Form()] = 1) -> list[Any]:
        return [name, n, here()[:6]]

    @router.post("/async")
    async def asynch(form: Annotated[Named, Form()]) -> list[Any]:
        return [form.name, form.n]

    client = serve(router)

    assert client.post("/sync", data={"name": "fish", "n": "2"}).json() == ["fish", 2, "mullet"]
    assert client.post("/async", data={"name": "fish"}).json() == ["fish", 0]
    assert client.post("/sync", data={}).status_code == 422


ROLLED = 1024 * 1024 + 10  # bytes: kept on disk, not in memory


@pytest.mark.parametrize("size", [10, ROLLED])
def test_uploaded_files_arrive_in_every_form(router: APIRouter, size: int) -> None:
    @router.post("/bytes")
    def as_bytes(file: Annotated[bytes, File()]) -> list[Any]:
        return [len(file), here()[:6]]

    @router.post("/file")
    def as_file(file: UploadFile) -> list[Any]:
        return [len(file.file.read()), here()[:6]]

    @router.post("/async-bytes")
    async def as_async_bytes(file: Annotated[bytes, File()]) -> list[Any]:
        return [len(file), "mullet"]

    @router.post("/async-file")
    async def as_async_file(file: UploadFile) -> list[Any]:
        return [len(await file.read()), "mullet"]

    @router.post("/many")
    def as_many(files: Annotated[list[bytes], File(alias="file")]) -> list[Any]:
        return [sum(map(len, files)), here()[:6]]

    client = serve(router)

    for path in ("/bytes", "/file", "/async-bytes", "/async-file", "/many"):
        response = client.post(path, files={"file": ("f.bin", b"x" * size)})
        assert response.json() == [size, "mullet"], path


def test_a_file_that_a_dependency_reads_arrives(router: APIRouter) -> None:
    def size(file: Annotated[bytes, File()]) -> int:
        here()
        return len(file)

    @router.post("/")
    def endpoint(size: Annotated[int, Depends(size)]) -> int:
        return size

    response = serve(router).post("/", files={"file": ("f", b"x" * ROLLED)})

    assert response.json() == ROLLED


def test_malformed_json_is_a_validation_error(router: APIRouter) -> None:
    @router.post("/sync")
    def sync(body: Named) -> None: ...

    @router.post("/async")
    async def asynch(body: Named) -> None: ...

    client = serve(router)
    headers = {"Content-Type": "application/json"}

    answers = [client.post(path, content="{", headers=headers) for path in ("/sync", "/async")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["detail"][0]["type"] == "json_invalid"


def test_a_body_that_is_no_utf8_is_refused(router: APIRouter) -> None:
    @router.post("/")
    def endpoint(body: Named) -> None: ...

    headers = {"Content-Type": "application/json"}
    response = serve(router).post("/", content=b"\xff\xfe\xfa", headers=headers)

    assert (response.status_code, response.json()) == (
        400,
        {"detail": "There was an error parsing the body"},
    )


def test_bodies_of_other_types_arrive_as_bytes(router: APIRouter) -> None:
    @router.post("/")
    def endpoint(body: Annotated[bytes, Body(media_type="text/plain")]) -> int:
        return len(body)

    response = serve(router).post("/", content="abc", headers={"Content-Type": "text/plain"})

    assert response.json() == 3


def test_an_endpoint_may_do_without_the_body_that_is_sent(router: APIRouter) -> None:
    @router.post("/")
    def endpoint() -> str:
        return here()

    assert serve(router).post("/", content=b"x" * 100_000).status_code == 200


@pytest.mark.parametrize("is_overridden", [False, True])
def test_nobody_waits_for_a_body_that_no_parameter_takes(
    router: APIRouter, is_overridden: bool
) -> None:
    called: list[str] = []

    def original() -> None:
        called.append("original")

    def override() -> None:
        called.append("override")

    @router.post("/", dependencies=[Depends(original)])
    def endpoint() -> None:
        called.append(here()[:6])

    app = FastAPI()
    app.include_router(router)
    if is_overridden:
        app.dependency_overrides[original] = override
    sent: list[Any] = []

    async def receive() -> Any:
        called.append("receive")
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope_of("/"), receive, send))

    assert sent[0]["status"] == 200
    assert called == ["override" if is_overridden else "original", "mullet"]


def test_an_asynchronous_endpoint_may_read_the_body_itself(router: APIRouter) -> None:
    @router.post("/")
    async def endpoint(request: Request) -> int:
        return len(await request.body())

    assert serve(router).post("/", content=b"abc").json() == 3


def test_a_dependency_may_read_the_body_of_a_synchronous_endpoint(router: APIRouter) -> None:
    async def length(request: Request) -> int:
        return len(await request.body())

    @router.post("/")
    def endpoint(body: Named, length: Annotated[int, Depends(length)]) -> list[Any]:
        here()
        return [body.name, length]

    assert serve(router).post("/", content=b'{"name":"f"}', headers=JSON).json() == ["f", 12]


JSON = {"Content-Type": "application/json"}


@needs_body_limits
@pytest.mark.parametrize("path", ["/sync", "/async", "/form"])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_long_is_refused(path: str, announced: bool) -> None:
    router = APIRouter()

    @router.post("/sync")
    def sync(body: Named) -> None: ...

    @router.post("/async")
    async def asynch(body: Named) -> None: ...

    @router.post("/form")
    def form(file: UploadFile) -> None: ...

    client = serve(router, max_body_size=100)
    boundary = b"--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n"
    content = boundary + b"x" * 200 + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b" if path == "/form" else "application/json"

    response = client.post(
        path,
        content=content if announced else iter([content[:90], content[90:]]),
        headers={"Content-Type": kind},
    )

    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_a_client_that_leaves_before_its_body_is_there_gets_as_far_as_in_fastapi(
    router: APIRouter, path: str
) -> None:
    called: list[str] = []

    @router.post("/sync")
    def sync(body: Named) -> None:
        called.append("sync")

    @router.post("/async")
    async def asynch(body: Named) -> None:
        called.append("async")

    app = FastAPI()
    app.include_router(router)
    messages = [
        {"type": "http.request", "body": b'{"name"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope_of(path, **{"content-type": "application/json"}), receive, send))

    assert called == []
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"]) == {"detail": "There was an error parsing the body"}
