"""Which queries are compiled once? As docs/prepared.md says."""

from django.db.models import QuerySet

from django_mullet import prepared
from models import SavedSimulation
from shop.models import Article, Simulation, User, Wide

__all__ = [
    "all_articles",
    "all_rows",
    "articles_of",
    "locked_simulation_of",
    "simulations_of",
    "users_of",
]


@prepared
def users_of(api_key: str) -> QuerySet[User]:
    return User.objects.filter(api_key=api_key)


@prepared
def simulations_of(user_id: int) -> QuerySet[Simulation]:
    return Simulation.objects.filter(user_id=user_id).order_by("id")


@prepared
def locked_simulation_of(user_id: int, pk: str) -> QuerySet[SavedSimulation]:
    return SavedSimulation.objects.select_for_update().filter(user_id=user_id, pk=pk)


@prepared
def articles_of(author_id: int, published: bool) -> QuerySet[Article]:
    return Article.objects.filter(author_id=author_id, published=published).order_by("id")


@prepared
def all_articles() -> QuerySet[Article]:
    return Article.objects.order_by("-published_at", "-id")


@prepared
def all_rows() -> QuerySet[Wide]:
    return Wide.objects.order_by("id")
