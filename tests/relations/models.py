"""Which relations do the tests of schemas describe? Those that are not plain foreign keys.

The app comes before that of the library, to whose models it refers by name. Schemas and routes
stand below their models, as in a small project they do.
"""

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F

from django_mullet import APIRouter, Create, ModelSchema


class Place(models.Model):
    name = models.CharField(max_length=20)
    code = models.SlugField(unique=True)
    notes = GenericRelation("Note")

    def __str__(self) -> str:
        return self.name


class Shop(Place):
    opened = models.IntegerField()
    seller = models.ForeignKey("library.Author", null=True, blank=True, on_delete=models.SET_NULL)


class Kiosk(Shop):
    """A shop, seen otherwise."""

    class Meta:
        proxy = True


class Room(models.Model):
    number = models.SlugField(primary_key=True)
    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="rooms")
    size = models.IntegerField()

    def __str__(self) -> str:
        return self.number


class Legacy(models.Model):
    """The table of a place, as another program made it."""

    key = models.BigIntegerField(primary_key=True, db_column="id")
    name = models.CharField(max_length=20)

    class Meta:
        managed = False
        db_table = "relations_place"

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    text = models.CharField(max_length=20)
    # Without migrations, the app has its tables before there are content types.
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, db_constraint=False)
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey()

    def __str__(self) -> str:
        return self.text


class Person(models.Model):
    name = models.CharField(max_length=20)
    boss = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="team"
    )
    friends = models.ManyToManyField("self", blank=True)
    home = models.ForeignKey(
        Place, to_field="code", null=True, blank=True, on_delete=models.SET_NULL
    )

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    name = models.SlugField(primary_key=True)
    members = models.ManyToManyField(Person, through="Membership", related_name="projects")
    fans = models.ManyToManyField(Person, through="Fandom", related_name="liked", blank=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    project = models.ForeignKey(Project, on_delete=models.CASCADE)
    role = models.CharField(max_length=10)

    def __str__(self) -> str:
        return self.role


class Fandom(models.Model):
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    project = models.ForeignKey(Project, on_delete=models.CASCADE)
    since = models.IntegerField(default=2000)

    def __str__(self) -> str:
        return f"since {self.since}"


class Box(models.Model):
    width = models.IntegerField()
    height = models.IntegerField(default=2)
    depth = models.IntegerField(db_default=3)
    area = models.GeneratedField(
        expression=F("width") * F("height"), output_field=models.IntegerField(), db_persist=True
    )

    def __str__(self) -> str:
        return f"{self.width} by {self.height}"


class Guest(models.Model):
    """May be swapped for another model, as a user may."""

    name = models.CharField(max_length=20)

    class Meta:
        swappable = "RELATIONS_GUEST_MODEL"

    def __str__(self) -> str:
        return self.name


class Visitor(models.Model):
    name = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.name


class ShopSchema(ModelSchema[Shop]):
    id: int
    name: str
    code: str
    opened: int
    place_ptr: int
    seller: int | None


router = APIRouter()


@router.post("/shops/", status_code=201)
def shop_create(body: Create[ShopSchema]) -> ShopSchema:
    return ShopSchema.from_model(body.create())
