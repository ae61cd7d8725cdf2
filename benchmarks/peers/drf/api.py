"""Django REST framework: model serializers, generic views, an authentication class."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import generics, mixins, serializers, viewsets
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from shop.models import Article, Author, Simulation, Tag, User


class ApiKeyAuthentication(BaseAuthentication):
    """Who asks."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        user = User.objects.filter(api_key=request.headers.get("X-API-Key")).first()
        if user is None:
            raise AuthenticationFailed("X-API-Key is not known.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "X-API-Key"


class SimulationSerializer(serializers.ModelSerializer):
    """A simulation."""

    class Meta:
        model = Simulation
        fields = ["id", "name", "start_date", "end_date"]


class AuthorSerializer(serializers.ModelSerializer):
    """An author."""

    class Meta:
        model = Author
        fields = ["id", "name"]


class TagSerializer(serializers.ModelSerializer):
    """A tag; the serializer looks whether its slug is free."""

    class Meta:
        model = Tag
        fields = ["id", "name", "slug"]


class ListedSerializer(serializers.ModelSerializer):
    """An article in a list."""

    author = AuthorSerializer()
    tags = TagSerializer(many=True)

    class Meta:
        model = Article
        fields = ["id", "title", "slug", "published_at", "author", "tags"]


class ArticleSerializer(ListedSerializer):
    """An article with its text."""

    class Meta(ListedSerializer.Meta):
        fields = [*ListedSerializer.Meta.fields, "body"]


class RowSerializer(serializers.ModelSerializer):
    """An article without its relations."""

    author_id = serializers.IntegerField()

    class Meta:
        model = Article
        fields = ["id", "title", "slug", "published_at", "author_id"]


class SimulationViewSet(viewsets.ModelViewSet):
    """The simulations of who asks."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [IsAuthenticated]
    serializer_class = SimulationSerializer

    def get_queryset(self) -> QuerySet[Simulation]:
        return Simulation.objects.filter(user=self.request.user).order_by("id")


class ArticleViewSet(viewsets.ReadOnlyModelViewSet):
    """Articles with their relations."""

    queryset = Article.objects.select_related("author").prefetch_related("tags")
    serializer_class = ArticleSerializer

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        newest = self.get_queryset().order_by("-published_at", "-id")[:20]
        return Response(ListedSerializer(newest, many=True).data)


class TagViewSet(mixins.CreateModelMixin, viewsets.GenericViewSet):
    """Makes tags."""

    queryset = Tag.objects.all()
    serializer_class = TagSerializer


class Pagination(LimitOffsetPagination):
    """The page that every peer answers."""

    default_limit = 20

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "count": self.count})


class SearchView(generics.ListAPIView):
    """A filtered page."""

    serializer_class = RowSerializer
    pagination_class = Pagination

    def get_queryset(self) -> QuerySet[Article]:
        author = serializers.IntegerField().run_validation(self.request.query_params["author"])
        published = serializers.BooleanField().run_validation(
            self.request.query_params["published"]
        )
        return Article.objects.filter(author=author, published=published).order_by("id")
