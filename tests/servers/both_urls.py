"""The URLs of both halves of the site that the servers of the tests serve."""

from django.urls import include, path

from tests.servers import urls

urlpatterns = [*urls.urlpatterns, path("", include("django_mullet.urls"))]
