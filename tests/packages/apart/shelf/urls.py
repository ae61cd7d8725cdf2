"""Views of Django that ask what routes ask, and the routes."""

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from apart.shelf.models import Author, Book


def books(request: HttpRequest) -> JsonResponse:
    rows = Book.objects.select_related("author").filter(title=request.GET["title"])
    return JsonResponse([book.author.name for book in rows], safe=False)


def add_author(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": Author.objects.create(name="Homer").pk})


urlpatterns = [
    path("django/books/", books),
    path("django/authors/", csrf_exempt(add_author)),
    path("", include("django_mullet.urls")),
]
