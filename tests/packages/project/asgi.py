"""The application: FastAPI in the front, Django in the back."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from fastapi import FastAPI  # noqa: E402

from django_mullet.asgi import mount_django  # noqa: E402
from shop import books, categories, filters, history, media, permissions, users  # noqa: E402

app = FastAPI(openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
for module in (books, categories, filters, history, media, permissions, users):
    app.include_router(module.router, prefix="/api")
app.include_router(books.behind_middleware, prefix="/api")
mount_django(app)
