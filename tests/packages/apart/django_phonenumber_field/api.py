from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_phonenumber_field.models import Person, Pet
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class PersonSchema(ModelSchema[Person]):
    id: int
    name: str
    number: str
    fax: str


class PetSchema(ModelSchema[Pet]):
    name: str
    owner: PersonSchema


@prepared
def people_at(number: str) -> QuerySet[Person]:
    return Person.objects.filter(number=number).order_by("pk")


@router.get("/people/", response_model=list[PersonSchema])
async def people(number: str) -> QuerySet[Person]:
    return people_at(number)


@router.get("/pets/")
def pets() -> list[PetSchema]:
    return PetSchema.from_qs(Pet.objects.order_by("pk"))


@router.post("/people/", status_code=201)
def add_person(body: Create[PersonSchema]) -> PersonSchema:
    return PersonSchema.from_model(body.create(full_clean=True))


@router.patch("/people/{person_id}/")
def change_person(person_id: int, body: Patch[PersonSchema]) -> PersonSchema:
    return PersonSchema.from_model(body.save(Person.objects.get(pk=person_id)))


app = FastAPI()
app.include_router(router)
mount_django(app)
