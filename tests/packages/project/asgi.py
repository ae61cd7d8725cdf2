"""The application: FastAPI in the front, Django in the back."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from fastapi import FastAPI  # noqa: E402

from django_mullet import mount_django  # noqa: E402
from project.routing import websockets  # noqa: E402
from shop import (  # noqa: E402
    books,
    categories,
    consumers,
    filters,
    history,
    media,
    permissions,
    users,
)

app = FastAPI(openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
for module in (books, categories, consumers, filters, history, media, permissions, users):
    app.include_router(module.router, prefix="/api")
app.include_router(books.behind_middleware, prefix="/api")
app.router.add_websocket_route("/{path:path}", websockets)
mount_django(app)
