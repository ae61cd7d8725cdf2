from decimal import Decimal

from django.db.models import QuerySet
from djmoney.money import Money
from fastapi import FastAPI

from apart.django_money.fields import Price
from apart.django_money.models import Fee, Product, Shop
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class ProductSchema(ModelSchema[Product]):
    id: int
    name: str
    price: Price
    old_price: Price | None


class FeeSchema(ModelSchema[Fee]):
    id: int
    name: str
    amount: Decimal
    amount_currency: str


class ShopSchema(ModelSchema[Shop]):
    name: str
    products: list[ProductSchema]
    fees: list[FeeSchema]


class ShopProduct(ModelSchema[Product]):
    price: Price
    shop: ShopSchema | None


@prepared
def products_called(name: str) -> QuerySet[Product]:
    return Product.objects.filter(name=name).order_by("pk")


@router.get("/products/")
def products() -> list[ProductSchema]:
    return ProductSchema.from_qs(Product.objects.order_by("pk"))


@router.get("/products/async/", response_model=list[ProductSchema])
async def products_async() -> QuerySet[Product]:
    return Product.objects.order_by("pk")


@router.get("/products/called/")
def list_products_called(name: str) -> list[ProductSchema]:
    return ProductSchema.from_qs(products_called(name))


@router.get("/products/at/")
def list_products_at(amount: Decimal) -> list[ProductSchema]:
    return ProductSchema.from_qs(Product.objects.filter(price__lte=Money(amount, "EUR")))


@router.get("/shops/")
def shops() -> list[ShopSchema]:
    return ShopSchema.from_qs(Shop.objects.order_by("pk"))


@router.get("/products/shops/")
def products_with_shops() -> list[ShopProduct]:
    return ShopProduct.from_qs(Product.objects.order_by("pk"))


@router.get("/fees/")
def fees() -> list[FeeSchema]:
    return FeeSchema.from_qs(Fee.objects.order_by("pk"))


@router.post("/products/", status_code=201)
def add_product(body: Create[ProductSchema]) -> ProductSchema:
    return ProductSchema.from_model(body.create(full_clean=True))


@router.patch("/products/{product_id}/")
def change_product(product_id: int, body: Patch[ProductSchema]) -> ProductSchema:
    product = Product.objects.get(pk=product_id)
    body.save(product)
    return ProductSchema.from_model(product)


@router.post("/fees/", status_code=201)
def add_fee(body: Create[FeeSchema]) -> FeeSchema:
    return FeeSchema.from_model(body.create())


app = FastAPI()
app.include_router(router)
mount_django(app)
