"""What do the FastAPI peers without Django show and take?"""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

__all__ = [
    "ArticleOut",
    "AuthorOut",
    "ListedOut",
    "PageOut",
    "RowOut",
    "SimulationOut",
    "SimulationPatch",
    "TagIn",
    "TagOut",
]


class Out(BaseModel):
    """What is shown."""

    model_config = ConfigDict(from_attributes=True)


class SimulationOut(Out):
    """A simulation."""

    id: str
    name: str
    start_date: date
    end_date: date


class SimulationPatch(BaseModel):
    """What of a simulation is to be changed."""

    name: str | None = None
    start_date: date | None = None
    end_date: date | None = None


class AuthorOut(Out):
    """An author."""

    id: int
    name: str


class TagIn(BaseModel):
    """A tag that is to be made."""

    name: str
    slug: str


class TagOut(Out):
    """A tag."""

    id: int
    name: str
    slug: str


class ListedOut(Out):
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


class RowOut(Out):
    """An article without its relations."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author_id: int


class PageOut(Out):
    """Some articles of many."""

    items: list[RowOut]
    count: int
