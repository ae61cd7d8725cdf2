"""What do the tests of bodies write? Models whose rows have owners, keys of clients, and limits."""

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q


class Owner(models.Model):
    name = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.name


class Label(models.Model):
    word = models.SlugField(primary_key=True)
    note = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return self.word


class Folder(models.Model):
    code = models.SlugField(primary_key=True)
    name = models.CharField(max_length=20)
    owner = models.ForeignKey(Owner, null=True, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return self.code


class Document(models.Model):
    title = models.CharField(max_length=20)
    first = models.CharField(max_length=20, blank=True)
    last = models.CharField(max_length=20, blank=True)
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="documents")
    folder = models.ForeignKey(Folder, null=True, blank=True, on_delete=models.SET_NULL)
    labels = models.ManyToManyField(Label, related_name="documents", blank=True)
    # Without migrations, the app has its tables before there are content types.
    kind = models.ForeignKey(ContentType, null=True, on_delete=models.CASCADE, db_constraint=False)
    object_id = models.PositiveBigIntegerField(null=True)
    about = GenericForeignKey("kind", "object_id")

    def __str__(self) -> str:
        return self.title

    @property
    def signed(self) -> str:
        """By whom, as a text."""
        return f"{self.first} {self.last}"

    @signed.setter
    def signed(self, names: str) -> None:
        self.first, self.last = names.split()


class Page(models.Model):
    number = models.SlugField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="pages")
    text = models.CharField(max_length=20)
    secret = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return self.number


class Line(models.Model):
    pk = models.CompositePrimaryKey("document", "number")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="lines")
    number = models.IntegerField()
    text = models.CharField(max_length=20)
    secret = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return self.text


class Seal(models.Model):
    code = models.SlugField(primary_key=True)
    document = models.OneToOneField(Document, on_delete=models.CASCADE)
    text = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.code


class Profile(models.Model):
    owner = models.OneToOneField(Owner, primary_key=True, on_delete=models.CASCADE)
    text = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.text


class Vehicle(models.Model):
    plate = models.SlugField(primary_key=True)
    colour = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return self.plate


class Truck(Vehicle):
    load = models.IntegerField(default=0)
    driver = models.ForeignKey(Owner, null=True, on_delete=models.CASCADE, related_name="trucks")
    secret = models.CharField(max_length=20, blank=True)


class Member(models.Model):
    name = models.CharField(max_length=20)
    rank = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.name


def ranked() -> dict[str, Any]:
    return {"rank__gt": 0}


class Club(models.Model):
    name = models.CharField(max_length=20)
    head = models.ForeignKey(
        Member,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        limit_choices_to=ranked,
        related_name="heads",
    )
    clerk = models.OneToOneField(
        Member, null=True, blank=True, on_delete=models.CASCADE, limit_choices_to=Q(rank__gt=0)
    )
    members = models.ManyToManyField(
        Member, limit_choices_to=~Q(rank=0), related_name="clubs", blank=True
    )
    guests = models.ManyToManyField(
        Member, limit_choices_to=ranked, through="Visit", related_name="visited"
    )

    def __str__(self) -> str:
        return self.name


class Visit(models.Model):
    club = models.ForeignKey(Club, on_delete=models.CASCADE)
    guest = models.ForeignKey(Member, on_delete=models.CASCADE, limit_choices_to={"rank__gt": 0})
    reason = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.reason


class Particular:
    """Takes what it likes, as the descriptors of some packages."""

    def __init__(self, field: Any) -> None:
        self._name = field.attname

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else instance.__dict__[self._name]

    def __set__(self, instance: Any, value: Any) -> None:
        if value == "fixed":
            raise AttributeError("Never so.")
        if value == "unfit":
            raise ValueError("This is unfit.")
        if value == "wrong":
            raise ValidationError("This is wrong.")
        instance.__dict__[self._name] = value and value.upper()


class ParticularField(models.CharField):  # type: ignore[type-arg]
    descriptor_class = Particular


class Guarded(Particular):
    """Is set once, as the state of django-fsm that is protected."""

    def __set__(self, instance: Any, value: Any) -> None:
        if self._name in instance.__dict__:
            raise AttributeError("Direct modification is not allowed")
        instance.__dict__[self._name] = value


class StateField(models.CharField):  # type: ignore[type-arg]
    descriptor_class = Guarded
    protected = True


class Odd(models.Model):
    text = ParticularField(max_length=20)
    state = StateField(max_length=20, default="new", choices=[("new", "New"), ("said", "Said")])

    def __str__(self) -> str:
        return str(self.text)
