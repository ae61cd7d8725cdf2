from django.db.models import QuerySet
from fastapi import FastAPI, HTTPException
from mptt.exceptions import InvalidMove

from apart.django_mptt.models import Place
from django_mullet import APIRouter, Atomic, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class PlaceSchema(ModelSchema[Place]):
    id: int
    name: str
    parent_id: int | None
    level: int


class LeafSchema(ModelSchema[Place]):
    name: str


class BranchSchema(ModelSchema[Place]):
    name: str
    children: list[LeafSchema]


@prepared
def places_at(level: int) -> QuerySet[Place]:
    return Place.objects.filter(level=level)


@router.get("/places/", response_model=list[PlaceSchema])
async def places() -> QuerySet[Place]:
    return Place.objects.all()


@router.get("/branches/")
def branches(level: int) -> list[BranchSchema]:
    return BranchSchema.from_qs(places_at(level))


@router.get("/places/{place_id}/below/", response_model=list[PlaceSchema])
def below(place_id: int) -> QuerySet[Place]:
    return Place.objects.get(pk=place_id).get_descendants()


@router.post("/places/", status_code=201)
def add_place(body: Create[PlaceSchema], _: Atomic) -> PlaceSchema:
    return PlaceSchema.from_model(body.create())


@router.patch("/places/{place_id}/")
def change_place(place_id: int, body: Patch[PlaceSchema], _: Atomic) -> PlaceSchema:
    try:
        return PlaceSchema.from_model(body.save(Place.objects.get(pk=place_id)))
    except InvalidMove as error:
        raise HTTPException(422, str(error)) from error


app = FastAPI()
app.include_router(router)
mount_django(app)
