from django.db.models import QuerySet
from fastapi import FastAPI, HTTPException
from treebeard.exceptions import InvalidMoveToDescendant

from apart.django_treebeard.models import Place
from django_mullet import (
    APIRouter,
    Atomic,
    Create,
    ModelSchema,
    Patch,
    ReadOnly,
    mount_django,
    prepared,
)

router = APIRouter(prefix="/api")


class PlaceSchema(ModelSchema[Place]):
    id: int
    name: str
    path: ReadOnly[str]
    depth: ReadOnly[int]
    numchild: ReadOnly[int]


@prepared
def places_at(depth: int) -> QuerySet[Place]:
    return Place.objects.filter(depth=depth)


@router.get("/places/", response_model=list[PlaceSchema])
async def places(depth: int) -> QuerySet[Place]:
    return places_at(depth)


@router.get("/places/{place_id}/below/")
def below(place_id: int) -> list[PlaceSchema]:
    return PlaceSchema.from_qs(Place.objects.get_tree(Place.objects.get(pk=place_id)))


@router.post("/places/", status_code=201)
def add_root(body: Create[PlaceSchema], _: Atomic) -> PlaceSchema:
    return PlaceSchema.from_model(Place.objects.add_root(instance=body.to_model()))


@router.post("/places/{place_id}/", status_code=201)
def add_child(place_id: int, body: Create[PlaceSchema], _: Atomic) -> PlaceSchema:
    parent = Place.objects.get(pk=place_id)
    return PlaceSchema.from_model(Place.objects.add_child(parent, instance=body.to_model()))


@router.patch("/places/{place_id}/")
def change_place(place_id: int, body: Patch[PlaceSchema]) -> PlaceSchema:
    return PlaceSchema.from_model(body.save(Place.objects.get(pk=place_id)))


@router.post("/places/{place_id}/below/{parent_id}/", status_code=204)
def move_place(place_id: int, parent_id: int, _: Atomic) -> None:
    place, parent = (Place.objects.get(pk=pk) for pk in (place_id, parent_id))
    try:
        Place.objects.move(place, parent, "last-child")
    except InvalidMoveToDescendant as error:
        raise HTTPException(422, str(error)) from error


app = FastAPI()
app.include_router(router)
mount_django(app)
