"""Are operations called as their routes, in the document and so in clients?"""

from fastapi import FastAPI

from django_mullet import APIRouter, operation_id


def test_an_operation_is_called_as_its_route() -> None:
    router = APIRouter(prefix="/books")

    @router.get("/", name="shop:book-list")
    def books() -> None: ...

    @router.post("/")
    def create() -> None: ...

    @router.get("/{pk}/", operation_id="oneBook")
    def book(pk: int) -> None: ...

    app = FastAPI(generate_unique_id_function=operation_id)
    app.include_router(router, prefix="/api")

    paths = app.openapi()["paths"]

    assert paths["/api/books/"]["get"]["operationId"] == "shop_book_list"
    assert paths["/api/books/"]["post"]["operationId"] == "create"
    assert paths["/api/books/{pk}/"]["get"]["operationId"] == "oneBook"
