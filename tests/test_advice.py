import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, connection, transaction
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet.asgi import mount_django
from django_mullet.routing import APIRouter
from tests.testapp.models import Item

NOTE = (
    "'tests.test_advice.{}' is 'async def'. Write 'def', and leave the rest as it is; or await the "
    "asynchronous methods of the ORM, 'aget()' for instance, and write 'async with atomic():' with "
    "'from django_mullet.transaction import atomic'. What has no asynchronous form, as "
    "'connection.close()' or 'transaction.on_commit()', goes into a function of your own, and that "
    "through 'await sync_to_async(function)()'."
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
@pytest.mark.parametrize("path", ["/no-table", "/no-column"])
def test_what_a_migration_would_make_is_told_of(path: str) -> None:
    assert notes_of(path, DatabaseError) == [
        "A migration may be missing: run 'manage.py makemigrations' and 'manage.py migrate'."
    ]


@pytest.mark.django_db(transaction=True)
def test_another_error_is_left_alone() -> None:
    assert notes_of("/no-function", DatabaseError) == []
