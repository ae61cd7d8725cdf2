from django.db import models
from model_utils import Choices, FieldTracker
from model_utils.fields import MonitorField, SplitField
from model_utils.managers import InheritanceManager, QueryManager
from model_utils.models import SoftDeletableModel, StatusModel, TimeStampedModel

from django_mullet import PreparedWrites


class Place(models.Model):
    name = models.CharField(max_length=50)

    objects = InheritanceManager()

    def __str__(self) -> str:
        return self.name


class Kitchen(Place):
    stoves = models.PositiveIntegerField()


class Cellar(Place):
    bottles = models.PositiveIntegerField()


class Article(PreparedWrites, StatusModel, TimeStampedModel):
    STATUS = Choices(("draft", "Draft"), ("published", "Published"))

    title = models.CharField(max_length=50)
    body = SplitField(blank=True)
    place = models.ForeignKey(Place, models.CASCADE, null=True, related_name="articles")
    published_at = MonitorField(monitor="status", when=["published"], null=True, default=None)

    tracker = FieldTracker(fields=["title"])

    def __str__(self) -> str:
        return self.title


class Note(SoftDeletableModel):
    article = models.ForeignKey(Article, models.CASCADE, related_name="notes")
    text = models.CharField(max_length=50)

    long = QueryManager(text__startswith="long").order_by("pk")

    def __str__(self) -> str:
        return self.text
