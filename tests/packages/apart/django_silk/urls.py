from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from apart.shelf.models import Author
from apart.shelf.urls import books


def authors(request: HttpRequest) -> JsonResponse:
    rows: Any = Author.objects.prefetch_related("books")
    return JsonResponse([[b.title for b in author.books.all()] for author in rows], safe=False)


def rename(request: HttpRequest, author_id: int) -> JsonResponse:
    author = Author.objects.get(pk=author_id)
    author.name = "Anon"
    author.save()
    return JsonResponse({})


urlpatterns = [
    path("silk/", include("silk.urls", namespace="silk")),
    path("django/books/", books),
    path("django/authors/", authors),
    path("django/authors/<int:author_id>/", rename),
    path("", include("django_mullet.urls")),
]
