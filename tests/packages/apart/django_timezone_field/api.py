from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_timezone_field.models import City, Street
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class CitySchema(ModelSchema[City]):
    id: int
    name: str
    zone: ZoneInfo
    summer_zone: ZoneInfo | None


class StreetSchema(ModelSchema[Street]):
    name: str
    city: CitySchema


@prepared
def cities_in(zone: ZoneInfo) -> QuerySet[City]:
    return City.objects.filter(zone=zone).order_by("pk")


@router.get("/cities/", response_model=list[CitySchema])
async def cities(zone: ZoneInfo) -> QuerySet[City]:
    return cities_in(zone)


@router.get("/streets/")
def streets() -> list[StreetSchema]:
    return StreetSchema.from_qs(Street.objects.order_by("pk"))


@router.post("/cities/", status_code=201)
def add_city(body: Create[CitySchema]) -> CitySchema:
    return CitySchema.from_model(body.create(full_clean=True))


@router.patch("/cities/{city_id}/")
def change_city(city_id: int, body: Patch[CitySchema]) -> CitySchema:
    return CitySchema.from_model(body.save(City.objects.get(pk=city_id)))


app = FastAPI()
app.include_router(router)
mount_django(app)
