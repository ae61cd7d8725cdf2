"""Of two requests that create the same row at once, one succeeds and the other is a 409."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from django_mullet import APIRouter, Atomic, Create, ModelSchema, install_exception_handlers
from tests.library.models import Author

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 200


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str


router = APIRouter()


@router.post("/autocommit/", status_code=201)
def create(body: Create[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.post("/atomic/", status_code=201)
def create_in_transaction(body: Create[AuthorSchema], _: Atomic) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.post("/async/", status_code=201)
async def acreate(body: Create[AuthorSchema]) -> AuthorSchema:
    author = body.to_model()
    await author.asave()
    return AuthorSchema.from_model(author)


app = FastAPI()
app.include_router(router)
install_exception_handlers(app)


async def post_twice_each(path: str) -> list[list[httpx.Response]]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return [
            list(await asyncio.gather(*(client.post(path, json=body) for body in [body, body])))
            for body in ({"name": f"Author {number}"} for number in range(ROUNDS))
        ]


@pytest.mark.parametrize("path", ["/autocommit/", "/atomic/", "/async/"])
def test_one_succeeds_and_one_is_a_conflict(path: str) -> None:
    rounds = asyncio.run(post_twice_each(path))

    assert [sorted(answer.status_code for answer in pair) for pair in rounds] == [
        [201, 409]
    ] * ROUNDS
    refused = [answer for pair in rounds for answer in pair if answer.status_code == 409]
    assert all(answer.json()["detail"][0]["loc"] == ["body", "name"] for answer in refused)
    assert Author.objects.count() == ROUNDS
