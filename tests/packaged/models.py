"""Which models have fields, and a `save()`, as those of packages do?"""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_mullet import reads
from tests.packaged.fields import CodeField, KeptManyToManyField, KeptTags, Tags
from tests.packaged.values import (
    CodesField,
    GradeField,
    InitialsField,
    LengthField,
    NotesField,
    OwnerField,
    SealedField,
    ShoutedField,
    TailField,
    ToldZoneField,
    WeightField,
    WordsField,
    ZoneField,
    refuse_heavy,
    refuse_small_letters,
)
from tests.packaged.ways import (
    AmountField,
    KeptQuerySet,
    MixedQuerySet,
    SortedManyToManyField,
    TitledQuerySet,
    TranslatedField,
    VisibleManager,
)


class Tag(models.Model):
    name = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    object_id = models.PositiveBigIntegerField()
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return f"{self.object_id}: {self.tag_id}"


class Photo(models.Model):
    title = models.CharField(max_length=20)
    tags = Tags(Tag, through=Tagging)

    def __str__(self) -> str:
        return self.title


class Film(models.Model):
    tags = KeptTags(Tag, through=Tagging)
    photos = KeptManyToManyField(Photo, blank=True)

    def __str__(self) -> str:
        return f"Film {self.pk}"


class Ticket(models.Model):
    code = CodeField(primary_key=True)

    def __str__(self) -> str:
        return str(self.code)


class Seat(models.Model):
    code = CodeField(primary_key=True)
    ticket = models.OneToOneField(
        Ticket, null=True, blank=True, on_delete=models.CASCADE, related_name="seat"
    )

    def __str__(self) -> str:
        return str(self.code)


class Visitor(models.Model):
    tickets = models.ManyToManyField(Ticket, blank=True)

    def __str__(self) -> str:
        return f"Visitor {self.pk}"


def refuse_known_tags(value: str) -> None:
    """Ask the database, as validators of packages do."""
    if Tag.objects.filter(name=value).exists():
        raise ValidationError("This is a tag.")


class Sender(models.Model):
    name = models.SlugField(primary_key=True)

    def __str__(self) -> str:
        return self.name


class Parcel(models.Model):
    """Sets a column to what is nearly its type, as a `save()` may."""

    name = models.CharField(max_length=20, validators=[refuse_known_tags])
    weight = models.IntegerField(default=1)
    checksum = models.CharField(max_length=20, editable=False)
    sent = models.DateField(null=True, blank=True)
    code = CodeField(null=True, blank=True)
    sender = models.ForeignKey(Sender, null=True, blank=True, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.checksum = sum(map(ord, self.name))
        super().save(*args, **kwargs)


class Genre(models.Model):
    name = TranslatedField(max_length=20)
    name_de = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return str(self.name)

    @property
    @reads("name")
    def loud(self) -> str:
        return str(self.name).upper()


class Offer(models.Model):
    price = AmountField(max_digits=10, decimal_places=2)
    in_cents = models.BooleanField(default=False)
    genre = models.ForeignKey(Genre, on_delete=models.CASCADE, related_name="offers")

    def __str__(self) -> str:
        return f"{self.price}"

    @property
    @reads("genre__name", "price")
    def slogan(self) -> str:
        return f"{self.genre.name}: {self.price}"


class Shape(models.Model):
    name = models.CharField(max_length=20)
    is_round = models.BooleanField(default=False)

    objects = models.Manager.from_queryset(MixedQuerySet)()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.name

    def as_it_is(self) -> "Shape":
        if not self.is_round:
            return self
        return Ball(pk=self.pk, name=self.name, is_round=True)

    @property
    def kind(self) -> str:
        return "shape"


class Ball(Shape):
    class Meta:
        proxy = True

    @property
    def kind(self) -> str:
        return "ball"


class Corner(models.Model):
    angle = models.IntegerField(default=90)
    shape = models.ForeignKey(Shape, on_delete=models.CASCADE, related_name="corners")

    def __str__(self) -> str:
        return f"{self.angle}"


class Frame(models.Model):
    shape = models.ForeignKey(Shape, null=True, on_delete=models.CASCADE, related_name="frames")

    def __str__(self) -> str:
        return f"Frame {self.pk}"

    @property
    @reads("shape__name")
    def title(self) -> str:
        return f"a {self.shape.kind}, {self.shape.name}" if self.shape else "nothing"


class Painting(models.Model):
    name = models.CharField(max_length=20)
    frame = models.OneToOneField(Frame, on_delete=models.CASCADE, related_name="painting")
    is_hidden = models.BooleanField(default=False)

    objects = VisibleManager()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.name


class Station(models.Model):
    name = models.CharField(max_length=20)

    objects = models.Manager.from_queryset(TitledQuerySet)()

    def __str__(self) -> str:
        return self.name


class Train(models.Model):
    station = models.ForeignKey(Station, on_delete=models.CASCADE)
    stops = SortedManyToManyField(Station, related_name="trains")

    objects = models.Manager.from_queryset(KeptQuerySet)()

    def __str__(self) -> str:
        return f"Train {self.pk}"


class Crate(models.Model):
    weight = WeightField(max_digits=6, decimal_places=2, validators=[refuse_heavy])
    marks = CodesField(max_length=40, choices={"up": "This side up", "dry": "Dry"}, blank=True)
    zone = ToldZoneField(default=ZoneInfo("UTC"))
    owner = OwnerField(max_length=20, default="Ann", validators=[refuse_small_letters])
    grade = GradeField(choices={0: "best", 1: "good"}, default=0)
    notes = NotesField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"Crate {self.pk}"


class Oddity(models.Model):
    """Has fields of which nobody has told what their values are."""

    length = LengthField(default=1.5)
    words = WordsField(max_length=40, default="")
    loud = ShoutedField(max_length=40, default="")
    seal = SealedField(max_length=40, default="")
    zone = ZoneField(default=ZoneInfo("UTC"))
    initials = InitialsField(default="")
    tail = TailField(default="")
    price = AmountField(max_digits=10, decimal_places=2, default=Decimal(1))
    in_cents = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"Oddity {self.pk}"


class Wish(models.Model):
    """Has the defaults of a wish list of Oscar, and of an application's settings of django CMS."""

    name = models.CharField(max_length=20, default=_("Default"))
    namespace = models.CharField(max_length=20, default=None, unique=True)

    def __str__(self) -> str:
        return f"{self.namespace}:{self.name}"
