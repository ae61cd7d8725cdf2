"""What Django serves; the API's routes stand in `main.urls` and are reversible from here."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(url="/api/docs")),
    path("admin/", admin.site.urls),
    path("", include("django_mullet.urls")),
]
