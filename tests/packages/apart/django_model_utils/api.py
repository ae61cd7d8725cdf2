from datetime import datetime

from django.db.models import QuerySet
from fastapi import FastAPI
from pydantic import BaseModel

from apart.django_model_utils.models import Article, Cellar, Kitchen, Note, Place
from django_mullet import APIRouter, Create, ModelSchema, Patch, ReadOnly, mount_django, prepared

router = APIRouter(prefix="/api")


class KitchenSchema(ModelSchema[Kitchen]):
    name: str
    stoves: int


class CellarSchema(ModelSchema[Cellar]):
    name: str
    bottles: int


class PlaceSchema(ModelSchema[Place]):
    name: str


class NoteSchema(ModelSchema[Note]):
    text: str


class ArticleSchema(ModelSchema[Article]):
    id: int
    title: str
    status: str
    created: datetime
    modified: datetime
    published_at: ReadOnly[datetime | None]
    place: PlaceSchema | None
    notes: list[NoteSchema]


class Renamed(BaseModel):
    before: str | None
    now: str


@prepared
def published(title: str) -> QuerySet[Article]:
    return Article.published.filter(title=title)


@prepared
def notes_of(article_id: int) -> QuerySet[Note]:
    return Note.available_objects.filter(article_id=article_id).order_by("pk")


@router.get("/places/", response_model=list[KitchenSchema | CellarSchema | PlaceSchema])
def places() -> QuerySet[Place]:
    return Place.objects.select_subclasses().order_by("pk")


@router.get("/articles/")
def articles() -> list[ArticleSchema]:
    return ArticleSchema.from_qs(Article.objects.order_by("pk"))


@router.get("/published/", response_model=list[ArticleSchema])
async def published_articles(title: str) -> QuerySet[Article]:
    return published(title)


@router.get("/published/count/")
def count_published(title: str) -> int:
    return published(title).count()


@router.get("/articles/{article_id}/notes/")
def notes(article_id: int) -> list[NoteSchema]:
    return NoteSchema.from_qs(notes_of(article_id))


@router.delete("/articles/{article_id}/notes/", status_code=204)
def forget_notes(article_id: int) -> None:
    notes_of(article_id).delete()


@router.get("/notes/long/", response_model=list[NoteSchema])
def long_notes() -> QuerySet[Note]:
    return Note.long.all()


@router.post("/articles/", status_code=201)
def add_article(body: Create[ArticleSchema]) -> ArticleSchema:
    return ArticleSchema.from_model(body.create())


@router.patch("/articles/{article_id}/")
def change_article(article_id: int, body: Patch[ArticleSchema]) -> Renamed:
    article = body.update(Article.objects.get(pk=article_id))
    before = article.tracker.previous("title") if article.tracker.has_changed("title") else None
    article.save()
    assert not article.tracker.changed()
    return Renamed(before=before, now=article.title)


app = FastAPI()
app.include_router(router)
mount_django(app)
