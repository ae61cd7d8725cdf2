from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_lifecycle.models import Article
from django_mullet import APIRouter, Atomic, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class ArticleSchema(ModelSchema[Article]):
    id: int
    title: str
    slug: str
    status: str


class TitleSchema(ModelSchema[Article]):
    title: str


@prepared
def articles_of(status: str) -> QuerySet[Article]:
    return Article.objects.filter(status=status).order_by("pk")


@router.get("/articles/", response_model=list[TitleSchema])
async def articles(status: str) -> QuerySet[Article]:
    return articles_of(status)


@router.post("/articles/", status_code=201)
def add_article(body: Create[ArticleSchema], _: Atomic) -> ArticleSchema:
    return ArticleSchema.from_model(body.create())


@router.patch("/articles/{status}/")
def change_article(status: str, body: Patch[ArticleSchema]) -> ArticleSchema:
    return ArticleSchema.from_model(body.save(articles_of(status).get()))


@router.patch("/articles/{status}/async/", response_model=ArticleSchema)
async def change_article_async(status: str, body: Patch[ArticleSchema]) -> Article:
    article = body.update(await articles_of(status).aget())
    await article.asave()
    return article


@router.delete("/articles/{status}/", status_code=204)
def delete_articles(status: str) -> None:
    for article in articles_of(status):
        article.delete()


app = FastAPI()
app.include_router(router)
mount_django(app)
