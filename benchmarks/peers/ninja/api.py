"""django-ninja: schemas from querysets, an API key, `def` operations."""

from datetime import date, datetime

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.security import APIKeyHeader

from shop.models import Article, Simulation, Tag, User

api = NinjaAPI()


class ApiKey(APIKeyHeader):
    """Who asks; what it returns is `request.auth`."""

    param_name = "X-API-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        return User.objects.filter(api_key=key).first()


class SimulationOut(Schema):
    """A simulation."""

    id: str
    name: str
    start_date: date
    end_date: date


class SimulationPatch(Schema):
    """What of a simulation is to be changed."""

    name: str | None = None
    start_date: date | None = None
    end_date: date | None = None


class AuthorOut(Schema):
    """An author."""

    id: int
    name: str


class TagIn(Schema):
    """A tag that is to be made."""

    name: str
    slug: str


class TagOut(Schema):
    """A tag."""

    id: int
    name: str
    slug: str


class ListedOut(Schema):
    """An article in a list."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author: AuthorOut
    tags: list[TagOut]


class ArticleOut(ListedOut):
    """An article with its text."""

    body: str


class RowOut(Schema):
    """An article without its relations."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author_id: int


class PageOut(Schema):
    """Some articles of many."""

    items: list[RowOut]
    count: int


@api.get("/simulations/", response=list[SimulationOut], auth=ApiKey())
def simulations(request: HttpRequest) -> object:
    return Simulation.objects.filter(user=request.auth).order_by("id")


@api.get("/simulations/{pk}/", response=SimulationOut, auth=ApiKey())
def simulation(request: HttpRequest, pk: str) -> object:
    return get_object_or_404(Simulation, user=request.auth, pk=pk)


@api.patch("/simulations/{pk}/", response=SimulationOut, auth=ApiKey())
def patch_simulation(request: HttpRequest, pk: str, payload: SimulationPatch) -> object:
    found = get_object_or_404(Simulation, user=request.auth, pk=pk)
    for attribute, value in payload.dict(exclude_unset=True).items():
        setattr(found, attribute, value)
    found.save()
    return found


@api.get("/articles/", response=list[ListedOut])
def articles(request: HttpRequest) -> object:
    newest = Article.objects.select_related("author").prefetch_related("tags")
    return newest.order_by("-published_at", "-id")[:20]


@api.get("/articles/{pk}/", response=ArticleOut)
def article(request: HttpRequest, pk: int) -> object:
    with_relations = Article.objects.select_related("author").prefetch_related("tags")
    return get_object_or_404(with_relations, pk=pk)


@api.post("/tags/", response={201: TagOut})
def create_tag(request: HttpRequest, payload: TagIn) -> object:
    if Tag.objects.filter(slug=payload.slug).exists():
        raise HttpError(409, "There is such a tag.")
    return 201, Tag.objects.create(**payload.dict())


@api.get("/search/", response=PageOut)
def search(
    request: HttpRequest, author: int, published: bool, limit: int = 20, offset: int = 0
) -> object:
    found = Article.objects.filter(author=author, published=published).order_by("id")
    return {"items": found[offset : offset + limit], "count": found.count()}
