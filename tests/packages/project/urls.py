"""Django's half, with views of DRF and django-ninja below the same `/api/` as FastAPI's routes."""

import debug_toolbar.urls
from django.contrib import admin
from django.urls import include, path

from shop import drf, ninja

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("__debug__/", include(debug_toolbar.urls)),
    path("api/drf/", include(drf.router.urls)),
    path("api/ninja/", ninja.api.urls),
    path("", include("django_mullet.urls")),
]
