from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Annotated

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, connection, transaction
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter, mount_django
from tests.testapp.models import Item

NOTE = (
    "'tests.error_handling.test_hints.{}' is 'async def'. Write 'def' and leave the rest as it "
    "is. Or await the asynchronous methods of the ORM and of schemas, such as 'aget()' and "
    "'afrom_qs()', and write 'async with atomic():' with 'from django_mullet import atomic'. Put "
    "what has no asynchronous form, such "
    "as 'connection.close()' or 'transaction.on_commit()', into a function of your own and call "
    "it by 'await sync_to_async(function)()'."
)

router = APIRouter()


def query(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@router.get("/synchronous-orm")
async def synchronous_orm() -> int:
    return Item.objects.count()


@router.get("/synchronous-transaction")
async def synchronous_transaction() -> None:
    with transaction.atomic():
        pass


async def dependency() -> int:
    return Item.objects.count()


@router.get("/dependency-of-def")
def dependency_of_def(number: Annotated[int, Depends(dependency)]) -> int:
    return number


@router.get("/dependency-of-async-def")
async def dependency_of_async_def(number: Annotated[int, Depends(dependency)]) -> int:
    return number


async def generator() -> AsyncIterator[int]:
    yield Item.objects.count()


@router.get("/generator-of-def")
def generator_of_def(number: Annotated[int, Depends(generator)]) -> int:
    return number


def passed_on(function: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    @wraps(function)
    async def wrapper() -> int:
        return await function()

    return wrapper


@router.get("/decorated")
@passed_on
async def decorated() -> int:
    return await dependency()


async def calls_another() -> int:
    return await dependency()


@router.get("/helper-of-dependency")
def helper_of_dependency(number: Annotated[int, Depends(calls_another)]) -> int:
    return number


@router.get("/read-later")
async def read_later():  # type: ignore[no-untyped-def]  # noqa: ANN201
    return (Item.objects.count() for _ in range(1))


@router.get("/called-by-def")
def called_by_def() -> int:
    return async_to_sync(dependency)()


@router.get("/no-table")
def no_table() -> None:
    query("SELECT 1 FROM nowhere")


@router.get("/no-column")
def no_column() -> None:
    query(f"SELECT no_such_column FROM {Item._meta.db_table}")


@router.get("/no-function")
def no_function() -> None:
    query("SELECT no_such_function(1)")


def notes_of(path: str, error: type[Exception]) -> list[str]:
    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    with pytest.raises(error) as caught:
        TestClient(app).get(path)
    return getattr(caught.value, "__notes__", [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["synchronous_orm", "synchronous_transaction"])
def test_synchronous_code_in_async_def_is_told_what_to_write(name: str) -> None:
    path = f"/{name.replace('_', '-')}"

    assert notes_of(path, SynchronousOnlyOperation) == [NOTE.format(name)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/dependency-of-def", "dependency"),
        ("/dependency-of-async-def", "dependency"),
        ("/generator-of-def", "generator"),
        ("/helper-of-dependency", "calls_another"),
        ("/decorated", "decorated"),
        ("/read-later", "read_later"),
    ],
)
def test_the_function_that_is_async_def_is_named(path: str, name: str) -> None:
    assert notes_of(path, SynchronousOnlyOperation) == [NOTE.format(name)]


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_is_def_is_not_called_async_def() -> None:
    [note] = notes_of("/called-by-def", SynchronousOnlyOperation)

    start = (
        "A function that 'tests.error_handling.test_hints.called_by_def' calls is 'async "
        "def'. Write 'def' "
    )
    assert note.startswith(start)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/no-table", "/no-column"])
def test_what_a_migration_would_make_is_told_of(path: str) -> None:
    assert notes_of(path, DatabaseError) == [
        "A migration may be missing: run 'manage.py makemigrations' and 'manage.py migrate'."
    ]


@pytest.mark.django_db(transaction=True)
def test_another_error_is_left_alone() -> None:
    assert notes_of("/no-function", DatabaseError) == []
