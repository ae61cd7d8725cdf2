"""What do the tests of field types describe? Models with every field of Django.

Beyond them, those of `django.contrib.postgres`, the tables of which exist on PostgreSQL only.
"""

import uuid
from pathlib import Path

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    HStoreField,
    IntegerRangeField,
)
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models.functions import Cast, Now

HERE = Path(__file__).parent


class Color(models.TextChoices):
    RED = "red"
    GREEN = "green"


class Texts(models.Model):
    char = models.CharField(max_length=30)
    text = models.TextField(blank=True)
    slug = models.SlugField()
    email = models.EmailField()
    url = models.URLField()
    color = models.CharField(max_length=5, choices=Color)
    nullable = models.CharField(max_length=5, null=True, blank=True)  # noqa: DJ001


class Loose(models.Model):
    """Texts that may be empty, and of which rows may be older than the validators."""

    char = models.CharField(max_length=30, blank=True, validators=[MinLengthValidator(3)])
    slug = models.SlugField(blank=True)
    email = models.EmailField(blank=True)
    url = models.URLField(null=True, blank=True)  # noqa: DJ001
    color = models.CharField(max_length=5, choices=Color, blank=True)


class Numbers(models.Model):
    small = models.SmallIntegerField()
    integer = models.IntegerField()
    big = models.BigIntegerField()
    positive_small = models.PositiveSmallIntegerField()
    positive = models.PositiveIntegerField()
    positive_big = models.PositiveBigIntegerField()
    decimal = models.DecimalField(max_digits=12, decimal_places=3)
    float = models.FloatField()
    boolean = models.BooleanField()
    nullable_boolean = models.BooleanField(null=True)
    stars = models.IntegerField(choices=[(1, "One"), (2, "Two")], null=True)


class Moments(models.Model):
    date = models.DateField()
    datetime = models.DateTimeField()
    time = models.TimeField()
    duration = models.DurationField()
    created = models.DateTimeField(auto_now_add=True)
    seen = models.DateTimeField(db_default=Now())


class Keys(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    uuid = models.UUIDField()
    ip = models.GenericIPAddressField()
    ipv4 = models.GenericIPAddressField(protocol="IPv4", null=True, blank=True)


class Documents(models.Model):
    id = models.SmallAutoField(primary_key=True)
    document = models.JSONField()
    nullable = models.JSONField(null=True)
    default = models.JSONField(default=dict)


class Files(models.Model):
    id = models.AutoField(primary_key=True)
    binary = models.BinaryField(editable=True)
    short = models.BinaryField(editable=True, max_length=3, null=True)
    file = models.FileField(blank=True)
    path = models.FilePathField(path=str(HERE), match=r"\.py$")


class Attachments(models.Model):
    title = models.CharField(max_length=30)
    file = models.FileField()  # required, and yet there are rows without one


class Computed(models.Model):
    side = models.PositiveSmallIntegerField()
    area = models.GeneratedField(
        expression=Cast("side", models.BigIntegerField()) * models.F("side"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )


class Doubled(models.Model):
    side = models.PositiveSmallIntegerField(null=True, blank=True)
    double = models.GeneratedField(
        expression=models.F("side") * 2, output_field=models.BigIntegerField(), db_persist=True
    )


class Named(models.Model):
    name = models.SlugField(primary_key=True)
    title = models.CharField(max_length=20, blank=True)


class Titled(Named):
    pages = models.IntegerField()


class Composite(models.Model):
    pk = models.CompositePrimaryKey("shelf", "place")
    shelf = models.CharField(max_length=5)
    place = models.IntegerField()
    title = models.CharField(max_length=20)


class Relations(models.Model):
    named = models.ForeignKey(Named, on_delete=models.CASCADE)
    unique = models.OneToOneField(Keys, on_delete=models.SET_NULL, null=True)
    many = models.ManyToManyField(Numbers, blank=True)
    # The tables of an app without migrations are made before those of others.
    content_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, null=True, db_constraint=False
    )
    object_id = models.PositiveIntegerField(null=True)
    content_object = GenericForeignKey()


# On PostgreSQL


class Arrays(models.Model):
    integers = ArrayField(models.IntegerField())
    texts = ArrayField(models.CharField(max_length=5), size=3, default=list)
    moments = ArrayField(models.DateTimeField(), default=list)
    decimals = ArrayField(models.DecimalField(max_digits=5, decimal_places=2), default=list)
    blobs = ArrayField(models.BinaryField(editable=True), default=list)
    matrix = ArrayField(ArrayField(models.SmallIntegerField()), null=True)
    documents = ArrayField(models.JSONField(), default=list)

    class Meta:
        required_db_vendor = "postgresql"


class Ranges(models.Model):
    integers = IntegerRangeField()
    bigs = BigIntegerRangeField(null=True)
    decimals = DecimalRangeField(null=True)
    dates = DateRangeField(null=True)
    moments = DateTimeRangeField(null=True)
    several = ArrayField(IntegerRangeField(), default=list)

    class Meta:
        required_db_vendor = "postgresql"


class Searchable(models.Model):
    text = models.TextField()
    vector = SearchVectorField(null=True)

    class Meta:
        required_db_vendor = "postgresql"


class Stored(models.Model):
    """Its table is made where PostgreSQL has the extension hstore."""

    attributes = HStoreField()

    class Meta:
        managed = False
        required_db_vendor = "postgresql"
