"""The same tables, for SQLAlchemy."""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

__all__ = ["Article", "Author", "Simulation", "Tag", "User"]


class Base(DeclarativeBase):
    """All tables."""


article_tags = Table(
    "shop_article_tags",
    Base.metadata,
    Column("id", primary_key=True),
    Column("article_id", ForeignKey("shop_article.id")),
    Column("tag_id", ForeignKey("shop_tag.id")),
)


class User(Base):
    """Who asks; with the columns that Django loads, too."""

    __tablename__ = "shop_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    password: Mapped[str]
    last_login: Mapped[datetime | None]
    is_superuser: Mapped[bool]
    username: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    is_staff: Mapped[bool]
    is_active: Mapped[bool]
    date_joined: Mapped[datetime]
    api_key: Mapped[str]


class Simulation(Base):
    """What the article's API is about."""

    __tablename__ = "shop_simulation"

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("shop_user.id"))
    name: Mapped[str]
    start_date: Mapped[date]
    end_date: Mapped[date]


class Author(Base):
    """Nested in an article."""

    __tablename__ = "shop_author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Tag(Base):
    """Nested in an article, in a list."""

    __tablename__ = "shop_tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)


class Article(Base):
    """What is listed and filtered."""

    __tablename__ = "shop_article"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("shop_author.id"))
    title: Mapped[str]
    slug: Mapped[str]
    body: Mapped[str]
    published: Mapped[bool]
    published_at: Mapped[datetime]
    author: Mapped[Author] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=article_tags, order_by=Tag.id)
