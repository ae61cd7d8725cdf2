"""Operation ids made of the names of routes, for readable generated clients."""

import re

from fastapi.routing import APIRoute

__all__ = ["operation_id"]


def operation_id(route: APIRoute) -> str:
    """Return the name of `route` as an identifier: that of "book-detail" is "book_detail".

    `FastAPI(generate_unique_id_function=operation_id)`. FastAPI's own adds path and method, as in
    "book_detail_api_books__book_id___get". Names of routes must be unique here, as they are for
    `reverse()`; `manage.py export_openapi` tells which are not.
    """
    return re.sub(r"\W", "_", route.name)
