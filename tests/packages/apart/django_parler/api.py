from django.db.models import QuerySet
from django.utils.translation import get_language
from fastapi import FastAPI
from pydantic import BaseModel

from apart.django_parler.models import Cheese, Shelf
from django_mullet import APIRouter, Atomic, Create, ModelSchema, ReadOnly, mount_django, prepared

router = APIRouter(prefix="/api", django_middleware=True)
Translation = Cheese._parler_meta.root_model


class TranslationSchema(ModelSchema[Translation]):
    language_code: str
    name: str


class CheeseSchema(ModelSchema[Cheese]):
    id: int
    age: int
    name: ReadOnly[str]


class WholeCheese(ModelSchema[Cheese]):
    age: int
    translations: list[TranslationSchema]


class ShelfSchema(ModelSchema[Shelf]):
    label: str
    cheeses: list[WholeCheese]


class CheeseIn(BaseModel):
    age: int
    name: str


@router.get("/cheeses/")
def cheeses() -> list[CheeseSchema]:
    return CheeseSchema.from_qs(Cheese.objects.prefetch_related("translations").order_by("pk"))


@router.get("/cheeses/async/", response_model=list[CheeseSchema])
async def cheeses_async() -> QuerySet[Cheese]:
    return Cheese.objects.prefetch_related("translations").order_by("pk")


@router.get("/cheeses/called/")
def cheeses_called(name: str) -> list[CheeseSchema]:
    called = Cheese.objects.translated(get_language(), name=name)
    return CheeseSchema.from_qs(called.prefetch_related("translations"))


@prepared
def cheeses_in(language: str, name: str) -> QuerySet[Cheese]:
    """A `@prepared` function is given the language, and does not ask for the active one."""
    return Cheese.objects.filter(
        translations__language_code=language, translations__name=name
    ).prefetch_related("translations")


@router.get("/cheeses/prepared/")
def prepared_cheeses(name: str) -> list[CheeseSchema]:
    return CheeseSchema.from_qs(cheeses_in(get_language(), name))


@router.get("/shelves/")
def shelves() -> list[ShelfSchema]:
    return ShelfSchema.from_qs(Shelf.objects.order_by("pk"))


@router.post("/cheeses/", status_code=201, response_model=CheeseSchema)
def add_cheese(body: CheeseIn) -> Cheese:
    return Cheese.objects.create(**body.model_dump())


class NewCheese(ModelSchema[Cheese]):
    age: int


@router.post("/cheeses/{language}/", status_code=201)
def add_cheese_in(language: str, body: Create[NewCheese], name: str, _: Atomic) -> WholeCheese:
    cheese = body.to_model()
    cheese.set_current_language(language)
    cheese.name = name
    cheese.save()
    return WholeCheese.from_model(cheese)


@router.get("/cheeses/{cheese_id}/")
def one_cheese(cheese_id: int) -> CheeseSchema:
    return CheeseSchema.get_or_404(Cheese.objects.all(), pk=cheese_id)


app = FastAPI()
app.include_router(router)
mount_django(app)
