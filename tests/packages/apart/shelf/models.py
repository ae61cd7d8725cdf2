from django.db import models

from django_mullet import PreparedWrites, reads


class Author(PreparedWrites, models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Book(PreparedWrites, models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")

    def __str__(self) -> str:
        return self.title

    @property
    @reads("title", "author__name")
    def line(self) -> str:
        return f"{self.title} by {self.author.name}"
