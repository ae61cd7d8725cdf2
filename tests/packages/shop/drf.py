"""Django REST framework, below the same `/api/`."""

from rest_framework import routers, serializers, viewsets

from shop.models import Book


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["id", "title", "pages"]


class BookViewSet(viewsets.ModelViewSet):
    queryset = Book.objects.order_by("pk")
    serializer_class = BookSerializer


router = routers.DefaultRouter()
router.register("books", BookViewSet, basename="drf-book")
