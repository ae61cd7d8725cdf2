#!/usr/bin/env bash
# Django 5.2.8: `prefetch_related_objects(authors, "books__chapters")` loads no chapters of those books
# that were loaded before, if there is an author whose books were not.
#
# A good guess: what is loaded stays, and what is missing is loaded, at each level, as each of
# `"books"` and `"books__chapters"` alone would have it. But as soon as one author lacks the books,
# Django goes on from the books that it has just loaded only, and for the others each `chapters.all()`
# is a query, N+1. No error tells. Objects that share related objects, as by a way that comes back,
# have such a mixture without anybody having prefetched some of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "Django==5.2.8"
cat > "$folder/finding.py" <<'PY'
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models
from django.db.models import prefetch_related_objects
from django.test.utils import CaptureQueriesContext


class Author(models.Model):
    class Meta:
        app_label = "finding"


class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")

    class Meta:
        app_label = "finding"


class Chapter(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="chapters")

    class Meta:
        app_label = "finding"


with connection.schema_editor() as editor:
    for model in (Author, Book, Chapter):
        editor.create_model(model)
for _ in range(3):
    Chapter.objects.create(book=Book.objects.create(author=Author.objects.create()))


def queries_after(*loaded: int) -> int:
    authors = list(Author.objects.order_by("pk"))
    prefetch_related_objects([authors[index] for index in loaded], "books")
    prefetch_related_objects(authors, "books__chapters")
    with CaptureQueriesContext(connection) as captured:
        for author in authors:
            for book in author.books.all():
                list(book.chapters.all())
    return len(captured)


print("nobody's books were loaded:", queries_after())
print("everybody's books were loaded:", queries_after(0, 1, 2))
print("two authors' books were loaded:", queries_after(0, 1))
PY
"$folder/venv/bin/python" "$folder/finding.py" | tee "$folder/output"
grep -qx "nobody's books were loaded: 0" "$folder/output"
grep -qx "everybody's books were loaded: 0" "$folder/output"
grep -qx "two authors' books were loaded: 2" "$folder/output"
