"""The Django half of what the isolation test calls."""

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path

from tests.isolation.looks import alooks, line, looks, pieces


def view(request: HttpRequest) -> JsonResponse:
    return JsonResponse(looks(), safe=False)


async def async_view(request: HttpRequest) -> JsonResponse:
    return JsonResponse(await alooks(), safe=False)


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(map(line, pieces()))


urlpatterns = [
    path("django/view", view),
    path("django/async-view", async_view),
    path("django/stream", stream),
]
