from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_tree_queries.models import Category, Product
from django_mullet import APIRouter, Create, ModelSchema, Patch, ReadOnly, mount_django, prepared

router = APIRouter(prefix="/api")


class CategorySchema(ModelSchema[Category]):
    id: int
    name: str
    tree_depth: ReadOnly[int]
    tree_path: ReadOnly[list[int]]


class NameSchema(ModelSchema[Category]):
    name: str


class CategoryWithChildren(ModelSchema[Category]):
    name: str
    children: list[NameSchema]


class ProductSchema(ModelSchema[Product]):
    name: str
    category: NameSchema


class CategoryIn(ModelSchema[Category]):
    id: int
    name: str
    parent_id: int | None


@prepared
def categories_called(name: str) -> QuerySet[Category]:
    return Category.objects.filter(name=name)


@router.get("/categories/")
def categories() -> list[CategorySchema]:
    return CategorySchema.from_qs(Category.objects.all())


@router.get("/categories/{category_id}/descendants/", response_model=list[CategorySchema])
async def descendants(category_id: int) -> QuerySet[Category]:
    return Category.objects.descendants(category_id, include_self=True)


@router.get("/categories/{category_id}/ancestors/")
def ancestors(category_id: int) -> list[NameSchema]:
    category = Category.objects.get(pk=category_id)
    return NameSchema.from_qs(category.ancestors())


@router.get("/categories/children/")
def with_children() -> list[CategoryWithChildren]:
    return CategoryWithChildren.from_qs(Category.objects.all())


@router.get("/categories/called/")
def list_categories_called(name: str) -> list[CategorySchema]:
    return CategorySchema.from_qs(categories_called(name))


@router.get("/categories/called/looks/")
def looks(name: str) -> list[object]:
    found = categories_called(name)
    first = found.first()
    return [
        found.count(),
        found.exists(),
        list(found.values_list("name", flat=True)),
        first and first.tree_depth,
    ]


@router.get("/products/")
def products() -> list[ProductSchema]:
    return ProductSchema.from_qs(Product.objects.order_by("pk"))


@router.post("/categories/", status_code=201)
def add_category(body: Create[CategoryIn]) -> CategoryIn:
    return CategoryIn.from_model(body.create(full_clean=True))


@router.patch("/categories/{category_id}/")
def move_category(category_id: int, body: Patch[CategoryIn]) -> CategoryIn:
    category = Category.objects.get(pk=category_id)
    body.save(category, full_clean=True)
    return CategoryIn.from_model(category)


app = FastAPI()
app.include_router(router)
mount_django(app)
