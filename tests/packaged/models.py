"""Which models have fields, and a `save()`, as those of packages do?"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from tests.packaged.fields import CodeField, KeptManyToManyField, KeptTags, Tags


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
