"""What do the tests of schemas describe? Models with every kind of relation."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from django_mullet import FromAPI


class Language(models.TextChoices):
    ENGLISH = "en", "English"
    GREEK = "el", "Greek"


class Author(FromAPI, models.Model):
    name = models.CharField(max_length=20, unique=True, help_text="As on the cover.")
    born = models.DateField(null=True, blank=True)
    prize = models.CharField(max_length=5, choices={"nobel": "Nobel"}, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def initial(self) -> str:
        """The first letter of the name."""
        return self.name[:1]


class Tag(models.Model):
    label = models.SlugField(primary_key=True)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class Book(models.Model):
    title = models.CharField(max_length=30)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    price = models.DecimalField(max_digits=5, decimal_places=2, validators=[MinValueValidator(0)])
    secret = models.CharField(max_length=10, blank=True)
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="books")
    tags = models.ManyToManyField(Tag, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(fields=["author", "title"], name="book_once"),
            models.UniqueConstraint(
                Lower("title"),
                "language",
                name="book_title",
                violation_error_message="The language has a book of this title.",
            ),
            models.CheckConstraint(
                condition=models.Q(price__lt=500) | models.Q(title=models.F("secret")),
                name="book_price",
                violation_error_message="Too dear.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Cover(models.Model):
    book = models.OneToOneField(Book, on_delete=models.CASCADE)
    image = models.FileField(blank=True)
    thumbnail = models.BinaryField(blank=True, editable=True)
    width = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Cover of {self.book}"
