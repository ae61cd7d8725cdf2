"""The URLs of a server that serves Django alone."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("api/health", health),
    path("django/session/", include("tests.servers.session_urls")),
]
