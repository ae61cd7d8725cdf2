from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_modeltranslation.models import Board, Cheese, Kind
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api", django_middleware=True)


class KindSchema(ModelSchema[Kind]):
    name: str


class CheeseSchema(ModelSchema[Cheese]):
    id: int
    name: str
    kind: KindSchema


class BoardSchema(ModelSchema[Board]):
    label: str
    best: CheeseSchema | None
    cheeses: list[CheeseSchema]


class AllNames(ModelSchema[Cheese]):
    name_en: str | None
    name_de: str | None
    kind_id: int


@router.get("/cheeses/")
def cheeses() -> list[CheeseSchema]:
    return CheeseSchema.from_qs(Cheese.objects.order_by("pk"))


@router.get("/cheeses/async/", response_model=list[CheeseSchema])
async def cheeses_async(name: str) -> QuerySet[Cheese]:
    return Cheese.objects.filter(name=name)


@router.get("/boards/")
def boards() -> list[BoardSchema]:
    return BoardSchema.from_qs(Board.objects.order_by("pk"))


@router.post("/cheeses/", status_code=201)
def add_cheese(body: Create[AllNames]) -> AllNames:
    return AllNames.from_model(body.create())


class CheeseIn(ModelSchema[Cheese]):
    name: str
    kind_id: int


@router.post("/cheeses/mine/", status_code=201)
def add_cheese_in_my_language(body: Create[CheeseIn]) -> AllNames:
    return AllNames.from_model(body.create())


@router.patch("/cheeses/{cheese_id}/")
def rename_cheese(cheese_id: int, body: Patch[CheeseIn]) -> AllNames:
    cheese = Cheese.objects.get(pk=cheese_id)
    body.save(cheese)
    return AllNames.from_model(cheese)


@prepared
def old_cheeses(age: int) -> QuerySet[Cheese]:
    return Cheese.objects.filter(age__gte=age).order_by("pk")


@prepared
def cheeses_called(name: str) -> QuerySet[Cheese]:
    return Cheese.objects.filter(name=name).order_by("pk")


@prepared
def cheeses_called_in_english(name: str) -> QuerySet[Cheese]:
    return Cheese.objects.filter(name_en=name).order_by("pk")


@router.get("/cheeses/old/")
def list_old_cheeses(age: int) -> list[CheeseSchema]:
    return CheeseSchema.from_qs(old_cheeses(age))


@router.get("/cheeses/old/names/")
def names_of_old_cheeses(age: int) -> list[str]:
    return list(old_cheeses(age).values_list("name", flat=True))


@router.get("/cheeses/old/count/")
def count_old_cheeses_called(age: int, name: str) -> int:
    return old_cheeses(age).filter(name=name).count()


@router.get("/cheeses/called/")
def list_cheeses_called(name: str) -> list[CheeseSchema]:
    return CheeseSchema.from_qs(cheeses_called(name))


@router.get("/cheeses/called-in-english/")
def list_cheeses_called_in_english(name: str) -> list[CheeseSchema]:
    return CheeseSchema.from_qs(cheeses_called_in_english(name))


app = FastAPI()
app.include_router(router)
mount_django(app)
