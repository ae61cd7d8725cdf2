"""django-polymorphic: each row as the model that it is."""

from django.db.models import QuerySet
from pydantic import BaseModel, ConfigDict

from django_mullet import APIRouter
from shop.models import Medium

router = APIRouter(prefix="/media", tags=["django-polymorphic"])


class MediumOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    title: str


class FilmOut(MediumOut):
    minutes: int


class AlbumOut(MediumOut):
    tracks: int


@router.get("/", response_model=list[FilmOut | AlbumOut])
def list_media() -> QuerySet[Medium]:
    return Medium.objects.order_by("pk")


@router.get("/async/", response_model=list[FilmOut | AlbumOut])
async def list_media_async() -> list[Medium]:
    return [medium async for medium in Medium.objects.order_by("pk")]
