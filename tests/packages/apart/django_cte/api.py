from django.db.models import QuerySet, Sum, Value
from django_cte import CTE, with_cte
from fastapi import FastAPI

from apart.django_cte.models import Order, Region
from django_mullet import APIRouter, ModelSchema, ReadOnly, mount_django, prepared

router = APIRouter(prefix="/api")


class RegionSchema(ModelSchema[Region]):
    name: str
    depth: ReadOnly[int]


class OrderSchema(ModelSchema[Order]):
    amount: int
    total: ReadOnly[int]
    region_id: int


class NameSchema(ModelSchema[Region]):
    name: str


class OrderInRegion(ModelSchema[Order]):
    amount: int
    total: ReadOnly[int]
    region: NameSchema


def all_regions() -> QuerySet[Region]:
    """The regions with how deep they are."""

    def walk(cte: CTE) -> QuerySet[Region]:
        roots = Region.objects.filter(parent=None).values("id", depth=Value(0))
        children = cte.join(Region, parent=cte.col.id).values("id", depth=cte.col.depth + Value(1))
        return roots.union(children, all=True)

    tree = CTE.recursive(walk)
    joined = with_cte(tree, select=tree.join(Region, id=tree.col.id))
    return joined.annotate(depth=tree.col.depth).order_by("pk")


def orders_with_totals() -> QuerySet[Order]:
    totals = CTE(Order.objects.values("region_id").annotate(total=Sum("amount")))
    joined = with_cte(totals, select=totals.join(Order, region=totals.col.region_id))
    return joined.annotate(total=totals.col.total).order_by("pk")


@prepared
def regions_called(name: str) -> QuerySet[Region]:
    return all_regions().filter(name=name)


@prepared
def orders_of(amount: int) -> QuerySet[Order]:
    return orders_with_totals().filter(amount=amount)


@prepared
def orders_beside(amount: int) -> QuerySet[Order]:
    """The orders in the regions in which one has this amount."""
    regions = CTE(Order.objects.filter(amount=amount).values("region_id").distinct())
    return with_cte(regions, select=regions.join(Order, region=regions.col.region_id))


@router.get("/regions/")
def regions() -> list[RegionSchema]:
    return RegionSchema.from_qs(all_regions())


@router.get("/orders/", response_model=list[OrderSchema])
async def orders() -> QuerySet[Order]:
    return orders_with_totals()


@router.get("/orders/in-regions/")
def orders_in_regions() -> list[OrderInRegion]:
    return OrderInRegion.from_qs(orders_with_totals())


@router.get("/regions/called/")
def list_regions_called(name: str) -> list[RegionSchema]:
    return RegionSchema.from_qs(regions_called(name))


@router.get("/orders/of/", response_model=list[OrderSchema])
async def list_orders_of(amount: int) -> QuerySet[Order]:
    return orders_of(amount)


@router.get("/looks/")
def looks(amount: int, name: str) -> list[object]:
    orders, regions = orders_of(amount), regions_called(name)
    first = orders.first()
    return [
        orders.count(),
        orders.exists(),
        list(orders.values_list("total", flat=True)),
        first and first.total,
        regions.count(),
        regions.exists(),
        list(regions.values_list("name", "depth")),
        regions.filter(name=name).count(),
    ]


@router.get("/orders/beside/count/")
def count_beside(amount: int) -> list[int]:
    return [orders_beside(amount).count(), len(orders_beside(amount))]


app = FastAPI()
app.include_router(router)
mount_django(app)
