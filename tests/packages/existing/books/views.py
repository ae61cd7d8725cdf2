from django.views.generic import ListView
from rest_framework import serializers, viewsets

from books.models import Book


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ["id", "title", "owner"]
        read_only_fields = ["owner"]


class BookViewSet(viewsets.ModelViewSet):
    queryset = Book.objects.all()
    serializer_class = BookSerializer

    def perform_create(self, serializer: BookSerializer) -> None:
        serializer.save(owner=self.request.user)


class BookList(ListView):
    model = Book
