"""The Django half of what is read slowly."""

from django.contrib import admin
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.urls import path

from tests.slow_readers.bodies import exported, large_file, queried


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(large_file().open("rb"))


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(queried())


def export(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(exported())


urlpatterns = [
    path("admin/", admin.site.urls),
    path("django/file", file),
    path("django/stream", stream),
    path("django/export", export),
]
