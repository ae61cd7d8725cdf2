from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path
from rest_framework.routers import DefaultRouter

from books.views import BookList, BookViewSet

router = DefaultRouter()
router.register("books", BookViewSet)

urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("i18n/", include("django.conf.urls.i18n")),
]
urlpatterns += i18n_patterns(
    path("admin/", admin.site.urls),
    path("", BookList.as_view(), name="books"),
)
