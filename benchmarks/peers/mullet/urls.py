"""Django's URLconf: the API's routes, for `reverse()`."""

from django.urls import include, path

urlpatterns = [path("", include("django_mullet.urls"))]
