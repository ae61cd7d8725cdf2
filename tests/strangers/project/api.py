"""Routes for each model: a list, one of its objects, and what creates and changes one."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django
from project.registry import Model, schema_of

Schema = type[ModelSchema[Any]]


def values_of_the_server() -> dict[str, Any]:
    """Return what a new object has that no request sends: who is logged in, the node above."""
    return {}


Values = Annotated[dict[str, Any], Depends(values_of_the_server)]


def path_of(model: Model) -> str:
    return f"/{model._meta.app_label}/{model._meta.model_name}"


def application(models: Iterable[Model]) -> FastAPI:
    app = FastAPI(openapi_url="/openapi.json", docs_url=None, redoc_url=None)
    for model in models:
        app.include_router(router_of(model, schema_of(model)), prefix="/api")
    mount_django(app)
    return app


def router_of(model: Model, schema: Any) -> APIRouter:
    objects = model._base_manager.order_by("pk")
    router = APIRouter(prefix=path_of(model), tags=[model._meta.app_label])

    @router.get("/", response_model=list[schema])
    def list_objects() -> Any:
        return objects

    @router.get("/{key:path}/", response_model=schema)
    def get_object(key: str) -> Any:
        return schema.get_or_404(objects, pk=key)

    @router.post("/", status_code=201, response_model=schema)
    def create_object(body: Create[schema], values: Values) -> Any:
        return body.create(**values)

    @router.patch("/{key:path}/", response_model=schema)
    def change_object(key: str, body: Patch[schema]) -> Any:
        return body.save(objects.get(pk=key))

    return router
