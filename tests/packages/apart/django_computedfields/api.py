from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_computedfields.models import Item, Shop
from django_mullet import APIRouter, Create, ModelSchema, Patch, Writable, mount_django, prepared

router = APIRouter(prefix="/api")


class ItemSchema(ModelSchema[Item]):
    price: int
    pieces: int
    total: int
    label: str


class ShopSchema(ModelSchema[Shop]):
    id: int
    name: str
    worth: int
    items: Writable[list[ItemSchema]]


class NewItemSchema(ModelSchema[Item]):
    id: int
    shop_id: int
    price: int
    pieces: int
    total: int
    label: str


@prepared
def shops_worth(worth: int) -> QuerySet[Shop]:
    return Shop.objects.filter(worth__gte=worth).order_by("pk")


@router.get("/shops/", response_model=list[ShopSchema])
async def shops(worth: int = 0) -> QuerySet[Shop]:
    return shops_worth(worth)


@router.post("/shops/", status_code=201)
def add_shop(body: Create[ShopSchema]) -> ShopSchema:
    return ShopSchema.get_or_404(Shop.objects.all(), pk=body.create().pk)


@router.patch("/shops/{shop_id}/")
def change_shop(shop_id: int, body: Patch[ShopSchema]) -> ShopSchema:
    body.save(Shop.objects.get(pk=shop_id))
    return ShopSchema.get_or_404(Shop.objects.all(), pk=shop_id)


@router.post("/items/", status_code=201)
def add_item(body: Create[NewItemSchema]) -> NewItemSchema:
    return NewItemSchema.from_model(body.create())


@router.patch("/items/{item_id}/async/", response_model=NewItemSchema)
async def change_item(item_id: int, body: Patch[NewItemSchema]) -> Item:
    item = body.update(await Item.objects.aget(pk=item_id))
    await item.asave()
    return item


app = FastAPI()
app.include_router(router)
mount_django(app)
