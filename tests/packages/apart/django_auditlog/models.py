from auditlog.registry import auditlog
from django.db import models

from django_mullet import PreparedWrites


class Tag(models.Model):
    label = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.label


class Book(PreparedWrites, models.Model):
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=1)
    tags = models.ManyToManyField(Tag, blank=True)

    def __str__(self) -> str:
        return self.title


auditlog.register(Book, m2m_fields={"tags"})
