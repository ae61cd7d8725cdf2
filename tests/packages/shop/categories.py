"""django-treebeard: a tree, read and grown over HTTP."""

from django.db.models import QuerySet
from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict

from django_mullet import APIRouter, Atomic
from shop.models import Category

router = APIRouter(prefix="/categories", tags=["django-treebeard"])


class CategoryIn(BaseModel):
    name: str


class CategoryOut(CategoryIn):
    model_config = ConfigDict(from_attributes=True)
    id: int
    depth: int


def get_category(category_id: int) -> Category:
    category = Category.objects.filter(pk=category_id).first()
    if category is None:
        raise HTTPException(404, "Category not found.")
    return category


@router.get("/{category_id}/", response_model=list[CategoryOut])
def category_tree(category_id: int) -> QuerySet[Category]:
    """The category and all below it, in the order of the tree."""
    return Category.objects.get_tree(get_category(category_id))


@router.post("/{category_id}/", status_code=201, response_model=CategoryOut)
def add_category(category_id: int, data: CategoryIn, _: Atomic) -> Category:
    return Category.objects.add_child(get_category(category_id), {"name": data.name})
