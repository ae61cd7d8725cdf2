"""The Django half of the site that the servers of the tests serve."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from django.contrib import admin
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import include, path, reverse
from django.views.decorators.csrf import csrf_exempt

from tests.servers.pieces import Pieces
from tests.testapp.models import Item


def count(request: HttpRequest) -> JsonResponse:
    return JsonResponse(Item.objects.count(), safe=False)


def sleep(request: HttpRequest) -> HttpResponse:
    time.sleep(float(request.GET["seconds"]))
    return HttpResponse()


def large(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        Item.objects.count()
        for _ in range(8_000):
            yield b"x" * 1000

    return StreamingHttpResponse(pieces())


def pieces_of(request: HttpRequest) -> Pieces:
    return Pieces(**{name: int(value) for name, value in request.GET.items()})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(pieces_of(request)))


async def astream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(aiter(pieces_of(request)))


async def acount(request: HttpRequest) -> JsonResponse:
    return JsonResponse(await Item.objects.acount(), safe=False)


def file(request: HttpRequest) -> FileResponse:
    Item.objects.count()
    return FileResponse(Path(request.GET["path"]).open("rb"))


def error(request: HttpRequest) -> HttpResponse:
    Item.objects.count()
    raise LookupError("in the view")


@csrf_exempt
def create(request: HttpRequest) -> JsonResponse:
    item = Item.objects.create(name=json.loads(request.body)["name"])
    return JsonResponse(item.pk, safe=False)


def links(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"django": reverse("count"), "api": reverse("def-count")})


def to_count(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("count"))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("django/count", count, name="count"),
    path("django/async/count", acount),
    path("django/stream", stream),
    path("django/async/stream", astream),
    path("django/file", file),
    path("django/error", error),
    path("django/items", create),
    path("django/links", links),
    path("django/to-count", to_count),
    path("django/sleep", sleep),
    path("django/large", large),
    path("django/session/", include("tests.servers.session_urls")),
]
