"""django-modern-rest: controllers, msgspec structs and mappers, as its documentation advises."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Self

import msgspec
from dmr import APIError, Body, Controller, Path, Query
from dmr.endpoint import Endpoint
from dmr.exceptions import NotAuthenticatedError
from dmr.openapi.objects import Reference, SecurityRequirement, SecurityScheme
from dmr.plugins.msgspec import MsgspecSerializer
from dmr.security import SyncAuth
from dmr.serializer import BaseSerializer

from shop.models import Article, Simulation, Tag, User


class SimulationOut(msgspec.Struct):
    """A simulation."""

    id: str
    name: str
    start_date: date
    end_date: date


class SimulationPatch(msgspec.Struct):
    """What of a simulation is to be changed."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    start_date: date | msgspec.UnsetType = msgspec.UNSET
    end_date: date | msgspec.UnsetType = msgspec.UNSET


class SimulationPath(msgspec.Struct):
    """Which simulation."""

    pk: str


class AuthorOut(msgspec.Struct):
    """An author."""

    id: int
    name: str


class TagIn(msgspec.Struct):
    """A tag that is to be made."""

    name: str
    slug: str


class TagOut(msgspec.Struct):
    """A tag."""

    id: int
    name: str
    slug: str


class ListedOut(msgspec.Struct):
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


class ArticlePath(msgspec.Struct):
    """Which article."""

    pk: int


class RowOut(msgspec.Struct):
    """An article without its relations."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author_id: int


class PageOut(msgspec.Struct):
    """Some articles of many."""

    items: list[RowOut]
    count: int


class SearchQuery(msgspec.Struct):
    """Which articles."""

    author: int
    published: bool
    limit: int = 20
    offset: int = 0


def map_simulation(simulation: Simulation) -> SimulationOut:
    return SimulationOut(
        id=simulation.id,
        name=simulation.name,
        start_date=simulation.start_date,
        end_date=simulation.end_date,
    )


def map_tag(tag: Tag) -> TagOut:
    return TagOut(id=tag.pk, name=tag.name, slug=tag.slug)


def map_listed(article: Article) -> ListedOut:
    return ListedOut(
        id=article.pk,
        title=article.title,
        slug=article.slug,
        published_at=article.published_at,
        author=AuthorOut(id=article.author.pk, name=article.author.name),
        tags=[map_tag(tag) for tag in article.tags.all()],
    )


def map_article(article: Article) -> ArticleOut:
    return ArticleOut(
        id=article.pk,
        title=article.title,
        slug=article.slug,
        published_at=article.published_at,
        author=AuthorOut(id=article.author.pk, name=article.author.name),
        tags=[map_tag(tag) for tag in article.tags.all()],
        body=article.body,
    )


def map_row(article: Article) -> RowOut:
    return RowOut(
        id=article.pk,
        title=article.title,
        slug=article.slug,
        published_at=article.published_at,
        author_id=article.author_id,
    )


class ApiKeyAuth(SyncAuth):
    """Who asks; becomes `request.user`."""

    __slots__ = ()

    @property
    def security_schemes(self) -> dict[str, SecurityScheme | Reference]:
        return {
            "api_key": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header")
        }

    @property
    def security_requirement(self) -> SecurityRequirement:
        return {"api_key": []}

    @property
    def www_authenticate_challenge(self) -> str | None:
        return None

    def __call__(self, endpoint: Endpoint, controller: Controller[BaseSerializer]) -> Self | None:
        key = controller.request.headers.get("X-API-Key")
        if not key:
            return None
        user = User.objects.filter(api_key=key).first()
        if user is None:
            raise NotAuthenticatedError
        controller.request.user = user
        return self


class SimulationsController(Controller[MsgspecSerializer]):
    """The simulations of who asks."""

    auth = (ApiKeyAuth(),)

    def get(self) -> list[SimulationOut]:
        found = Simulation.objects.filter(user=self.request.user).order_by("id")
        return [map_simulation(simulation) for simulation in found]


class SimulationController(Controller[MsgspecSerializer]):
    """One simulation of who asks."""

    auth = (ApiKeyAuth(),)

    def get(self, parsed_path: Path[SimulationPath]) -> SimulationOut:
        return map_simulation(self.find(parsed_path.pk))

    def patch(
        self, parsed_path: Path[SimulationPath], parsed_body: Body[SimulationPatch]
    ) -> SimulationOut:
        simulation = self.find(parsed_path.pk)
        for attribute, value in msgspec.structs.asdict(parsed_body).items():
            if value is not msgspec.UNSET:
                setattr(simulation, attribute, value)
        simulation.save()
        return map_simulation(simulation)

    def find(self, pk: str) -> Simulation:
        simulation = Simulation.objects.filter(user=self.request.user, pk=pk).first()
        if simulation is None:
            raise APIError(self.format_error("Not found."), status_code=HTTPStatus.NOT_FOUND)
        return simulation


class ArticlesController(Controller[MsgspecSerializer]):
    """The newest articles."""

    def get(self) -> list[ListedOut]:
        newest = Article.objects.select_related("author").prefetch_related("tags")
        return [map_listed(article) for article in newest.order_by("-published_at", "-id")[:20]]


class ArticleController(Controller[MsgspecSerializer]):
    """One article."""

    def get(self, parsed_path: Path[ArticlePath]) -> ArticleOut:
        with_relations = Article.objects.select_related("author").prefetch_related("tags")
        article = with_relations.filter(pk=parsed_path.pk).first()
        if article is None:
            raise APIError(self.format_error("Not found."), status_code=HTTPStatus.NOT_FOUND)
        return map_article(article)


class TagsController(Controller[MsgspecSerializer]):
    """Makes tags."""

    def post(self, parsed_body: Body[TagIn]) -> TagOut:
        if Tag.objects.filter(slug=parsed_body.slug).exists():
            raise APIError(
                self.format_error("There is such a tag."), status_code=HTTPStatus.CONFLICT
            )
        return map_tag(Tag.objects.create(name=parsed_body.name, slug=parsed_body.slug))


class SearchController(Controller[MsgspecSerializer]):
    """A filtered page."""

    def get(self, parsed_query: Query[SearchQuery]) -> PageOut:
        query = parsed_query
        found = Article.objects.filter(author=query.author, published=query.published)
        found = found.order_by("id")
        items = [map_row(row) for row in found[query.offset : query.offset + query.limit]]
        return PageOut(items=items, count=found.count())
