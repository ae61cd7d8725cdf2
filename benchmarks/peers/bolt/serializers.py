"""What does the API show and take? Serializers, whose loading plans django-bolt makes."""

from datetime import date, datetime

from django_bolt.serializers import Serializer


class SimulationOut(Serializer):
    """A simulation."""

    id: str
    name: str
    start_date: date
    end_date: date


class SimulationPatch(Serializer, omit_defaults=True):
    """What of a simulation is to be changed."""

    name: str | None = None
    start_date: date | None = None
    end_date: date | None = None


class AuthorOut(Serializer):
    """An author."""

    id: int
    name: str


class TagIn(Serializer):
    """A tag that is to be made."""

    name: str
    slug: str


class TagOut(Serializer):
    """A tag."""

    id: int
    name: str
    slug: str


class ListedOut(Serializer):
    """An article in a list."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author: AuthorOut
    tags: list[TagOut]


class ArticleOut(Serializer):
    """An article with its text."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author: AuthorOut
    tags: list[TagOut]
    body: str


class RowOut(Serializer):
    """An article without its relations."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author_id: int


class PageOut(Serializer):
    """Some articles of many."""

    items: list[RowOut]
    count: int
