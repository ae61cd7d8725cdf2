"""Django's half: the docs page, and the application's routes for Django's test client."""

from django.urls import include, path

urlpatterns = [path("", include("django_mullet.urls"))]
