"""What does the API show and take? As docs/schemas.md says."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from django_mullet import ModelSchema
from shop.models import Article, Author, Simulation, Tag, Wide

__all__ = [
    "ArticleRow",
    "ArticleSchema",
    "Listed",
    "Page",
    "SimulationSchema",
    "TagSchema",
    "UnplannedRow",
    "WideRow",
]


class SimulationSchema(ModelSchema[Simulation]):
    """A simulation, in full."""

    id: str
    name: str
    start_date: date
    end_date: date


class AuthorSchema(ModelSchema[Author]):
    """Who wrote an article."""

    id: int
    name: str


class TagSchema(ModelSchema[Tag]):
    """What an article is about."""

    id: int
    name: str
    slug: str


class Listed(ModelSchema[Article]):
    """An article in a list, with its relations."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author: AuthorSchema
    tags: list[TagSchema]


class ArticleSchema(Listed):
    """An article with its text."""

    body: str


class ArticleRow(ModelSchema[Article]):
    """An article without its relations."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author_id: int


class Page(BaseModel):
    """Some of the articles, and how many there are."""

    items: list[ArticleRow]
    count: int


class WideRow(ModelSchema[Wide]):
    """Three columns of thirty."""

    id: int
    name: str
    amount: int


class UnplannedRow(BaseModel):
    """The same three columns, by Pydantic alone."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    amount: int
