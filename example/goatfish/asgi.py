"""The entry point: `uvicorn goatfish.asgi:app` serves the API and everything that is Django's."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goatfish.settings")
django.setup()

from fastapi import FastAPI  # noqa: E402

from django_mullet import (  # noqa: E402
    docs_router,
    mount_django,
    operation_id,
)
from main.urls import router  # noqa: E402

app = FastAPI(
    title="Goatfish",
    description="A demo project. Also, an actual fish with a weird name.",
    version="0.1.0",
    openapi_url="/api/openapi.json",
    docs_url=None,
    redoc_url=None,
    generate_unique_id_function=operation_id,
    max_body_size=1024 * 1024,
)
app.include_router(router, prefix="/api")
app.include_router(docs_router(), prefix="/api")
mount_django(app)
application = app
