from typing import Any

from django.db import models
from django_lifecycle import (
    AFTER_CREATE,
    AFTER_SAVE,
    AFTER_UPDATE,
    BEFORE_DELETE,
    BEFORE_SAVE,
    LifecycleModelMixin,
    hook,
)
from django_lifecycle.conditions import WhenFieldHasChanged, WhenFieldValueChangesTo

from django_mullet import PreparedWrites


class Hooked(LifecycleModelMixin, models.Model):
    """What its hooks have seen is in `Seen`."""

    title = models.CharField(max_length=50)
    slug = models.CharField(max_length=50, editable=False)
    status = models.CharField(max_length=50, default="draft")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    def saw(self, what: str, *more: Any) -> None:
        Seen.objects.create(text=" ".join([what, *map(str, more)]))

    @hook(BEFORE_SAVE, condition=WhenFieldHasChanged("title", has_changed=True))
    def make_slug(self) -> None:
        self.slug = self.title.lower()

    @hook(BEFORE_SAVE)
    def before_save(self) -> None:
        self.saw("before save", self.slug)

    @hook(AFTER_CREATE)
    def created(self) -> None:
        self.saw("created", self.title)

    @hook(AFTER_UPDATE, condition=WhenFieldValueChangesTo("status", value="published"))
    def published(self) -> None:
        self.saw("published", self.initial_value("status"))

    @hook(AFTER_SAVE, on_commit=True)
    def committed(self) -> None:
        self.saw("committed", self.status)

    @hook(BEFORE_DELETE)
    def deleting(self) -> None:
        self.saw("deleting", self.title)


class Article(PreparedWrites, Hooked):
    pass


class PlainArticle(Hooked):
    """As Django saves it."""


class Seen(models.Model):
    text = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.text
