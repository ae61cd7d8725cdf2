from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_polymorphic.models import Album, Film, Loan, Medium, Shelf
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class FilmSchema(ModelSchema[Film]):
    title: str
    minutes: int


class AlbumSchema(ModelSchema[Album]):
    title: str
    tracks: int


class MediumSchema(ModelSchema[Medium]):
    title: str
    kind: str


class LoanSchema(ModelSchema[Loan]):
    who: str
    medium: MediumSchema


class ShelfSchema(ModelSchema[Shelf]):
    label: str
    media: list[MediumSchema]


class LoanOfAny(ModelSchema[Loan]):
    who: str
    medium: FilmSchema | AlbumSchema | MediumSchema


@prepared
def media_called(title: str) -> QuerySet[Medium]:
    return Medium.objects.filter(title=title).order_by("pk")


@prepared
def films_called(title: str) -> QuerySet[Film]:
    return Film.objects.filter(title=title).order_by("pk")


@router.get("/media/", response_model=list[FilmSchema | AlbumSchema | MediumSchema])
def media() -> QuerySet[Medium]:
    return Medium.objects.order_by("pk")


@router.get("/media/kinds/", response_model=list[MediumSchema])
async def kinds() -> QuerySet[Medium]:
    return Medium.objects.order_by("pk")


@router.get("/media/called/", response_model=list[FilmSchema | AlbumSchema | MediumSchema])
def list_media_called(title: str) -> QuerySet[Medium]:
    return media_called(title)


@router.get("/media/called/kinds/")
def kinds_called(title: str) -> list[MediumSchema]:
    return MediumSchema.from_qs(media_called(title))


@router.get("/media/called/count/")
def count_called(title: str) -> int:
    return media_called(title).count()


@router.get("/films/called/", response_model=list[FilmSchema])
async def list_films_called(title: str) -> QuerySet[Film]:
    return films_called(title)


@router.get("/loans/")
def loans() -> list[LoanSchema]:
    return LoanSchema.from_qs(Loan.objects.order_by("pk"))


@router.get("/shelves/")
def shelves() -> list[ShelfSchema]:
    return ShelfSchema.from_qs(Shelf.objects.order_by("pk"))


@router.post("/films/", status_code=201)
def add_film(body: Create[FilmSchema]) -> FilmSchema:
    return FilmSchema.from_model(body.create())


@router.patch("/films/{film_id}/")
def change_film(film_id: int, body: Patch[FilmSchema]) -> FilmSchema:
    film = Film.objects.get(pk=film_id)
    body.save(film)
    return FilmSchema.from_model(film)


app = FastAPI()
app.include_router(router)
mount_django(app)
