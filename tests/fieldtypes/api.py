"""Which API has objects of every kind of field, to list, create, read, change and delete?"""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from fastapi import FastAPI
from pydantic import BaseModel

from django_mullet import APIRouter, Atomic, Create, Patch, Update, annotation_of, mount_django
from django_mullet.fields.registry import value_field
from tests.fieldtypes import schemas

__all__ = ["app_of"]


class Problem(BaseModel):
    detail: Any


ERRORS: Any = {
    400: {"model": Problem},
    404: {"model": Problem},
    409: {"model": Problem},
}


def app_of(*of: Any, responses: Any = ERRORS) -> FastAPI:
    """Return an application for the objects of these schemas."""
    app = FastAPI(title="Every field")
    for schema in of:
        name = schema.django_model()._meta.model_name
        app.include_router(_router(schema, responses), prefix=f"/{name}", tags=[name])
    mount_django(app)
    return app


def _router(schema: Any, responses: Any) -> APIRouter:
    model = schema.django_model()
    is_composite = issubclass(schema, schemas.ShelvedSchema)
    key: Any = str if is_composite else annotation_of(value_field(model._meta.pk))
    router = APIRouter(responses=responses)

    def found(key: Any) -> Any:
        if not is_composite:
            return get_object_or_404(model, pk=key)
        shelf, _, place = key.rpartition("-")
        if not place.isdecimal():
            raise Http404
        return get_object_or_404(model, shelf=shelf, place=place[:9])

    @router.get("/")
    def listed() -> list[schema]:
        return schema.from_qs(model._default_manager.all())

    @router.post("/", status_code=201)
    def create(body: Create[schema], _: Atomic) -> schema:
        return schema.from_model(body.create())

    @router.get("/{key}/")
    def retrieve(key: key) -> schema:
        return schema.from_model(found(key))

    @router.put("/{key}/")
    def update(key: key, body: Update[schema], _: Atomic) -> schema:
        return schema.from_model(body.save(found(key)))

    @router.patch("/{key}/")
    def patch(key: key, body: Patch[schema], _: Atomic) -> schema:
        return schema.from_model(body.save(found(key)))

    @router.delete("/{key}/", status_code=204)
    def delete(key: key, _: Atomic) -> None:
        found(key).delete()

    return router
