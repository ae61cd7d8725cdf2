"""The article as written: plain FastAPI with `def` routes, and Django's ORM behind it.

From "FastAPI actually plays very well with Django": `from_model()`, a dependency for the user and
one for the object, which finds the user again. Only the bodies are those of the other peers.
"""

import os
from datetime import date, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException, Path
from pydantic import BaseModel

from shop.models import Article, Author, Simulation, Tag, User, Wide

API_KEY_HEADER = Header(..., description="The user's API key.")


class APISimulation(BaseModel):
    """A simulation."""

    id: str
    name: str
    start_date: date
    end_date: date

    @classmethod
    def from_model(cls, instance: Simulation) -> "APISimulation":
        return cls(
            id=instance.id,
            name=instance.name,
            start_date=instance.start_date,
            end_date=instance.end_date,
        )


class APISimulationPatch(BaseModel):
    """What of a simulation is to be changed."""

    name: str | None = None
    start_date: date | None = None
    end_date: date | None = None


class APIAuthor(BaseModel):
    """An author."""

    id: int
    name: str

    @classmethod
    def from_model(cls, instance: Author) -> "APIAuthor":
        return cls(id=instance.pk, name=instance.name)


class NewAPITag(BaseModel):
    """A tag that is to be made."""

    name: str
    slug: str


class APITag(NewAPITag):
    """A tag."""

    id: int

    @classmethod
    def from_model(cls, instance: Tag) -> "APITag":
        return cls(id=instance.pk, name=instance.name, slug=instance.slug)


class APIListed(BaseModel):
    """An article in a list."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author: APIAuthor
    tags: list[APITag]

    @classmethod
    def from_model(cls, instance: Article) -> "APIListed":
        return cls(
            id=instance.pk,
            title=instance.title,
            slug=instance.slug,
            published_at=instance.published_at,
            author=APIAuthor.from_model(instance.author),
            tags=[APITag.from_model(tag) for tag in instance.tags.all()],
        )


class APIArticle(APIListed):
    """An article with its text."""

    body: str

    @classmethod
    def from_model(cls, instance: Article) -> "APIArticle":
        return cls(
            id=instance.pk,
            title=instance.title,
            slug=instance.slug,
            published_at=instance.published_at,
            author=APIAuthor.from_model(instance.author),
            tags=[APITag.from_model(tag) for tag in instance.tags.all()],
            body=instance.body,
        )


class APIRow(BaseModel):
    """An article without its relations."""

    id: int
    title: str
    slug: str
    published_at: datetime
    author_id: int

    @classmethod
    def from_model(cls, instance: Article) -> "APIRow":
        return cls(
            id=instance.pk,
            title=instance.title,
            slug=instance.slug,
            published_at=instance.published_at,
            author_id=instance.author_id,
        )


class APIPage(BaseModel):
    """Some articles of many."""

    items: list[APIRow]
    count: int


class APIWide(BaseModel):
    """Three columns of thirty."""

    id: int
    name: str
    amount: int

    @classmethod
    def from_model(cls, instance: Wide) -> "APIWide":
        return cls(id=instance.pk, name=instance.name, amount=instance.amount)


def get_user(x_api_key: str = API_KEY_HEADER) -> User:
    u = User.objects.filter(api_key=x_api_key).first()
    if not u:
        raise HTTPException(status_code=400, detail="X-API-Key header invalid.")
    return u


def get_simulation(
    simulation_id: str = Path(..., description="The ID of the simulation."),
    x_api_key: str = Header(...),
) -> Simulation:
    user = get_user(x_api_key)
    instance = Simulation.objects.filter(user=user, pk=simulation_id).first()
    if not instance:
        raise HTTPException(status_code=404, detail="Object not found.")
    return instance


def simulations_get(user: User = Depends(get_user)) -> list[APISimulation]:
    return [APISimulation.from_model(s) for s in user.simulation_set.order_by("id")]


def simulation_get(
    simulation: Simulation = Depends(get_simulation), user: User = Depends(get_user)
) -> APISimulation:
    return APISimulation.from_model(simulation)


def simulation_patch(
    simulation: Simulation = Depends(get_simulation),
    sim_body: APISimulationPatch = Body(...),
    user: User = Depends(get_user),
) -> APISimulation:
    for name, value in sim_body.model_dump(exclude_unset=True).items():
        setattr(simulation, name, value)
    simulation.save()
    return APISimulation.from_model(simulation)


def articles_get() -> list[APIListed]:
    newest = Article.objects.select_related("author").prefetch_related("tags")
    return [APIListed.from_model(a) for a in newest.order_by("-published_at", "-id")[:20]]


def article_get(article_id: int) -> APIArticle:
    articles = Article.objects.select_related("author").prefetch_related("tags")
    instance = articles.filter(pk=article_id).first()
    if not instance:
        raise HTTPException(status_code=404, detail="Object not found.")
    return APIArticle.from_model(instance)


def tag_post(tag: NewAPITag) -> APITag:
    if Tag.objects.filter(slug=tag.slug).exists():
        raise HTTPException(status_code=409, detail="There is such a tag.")
    instance = Tag(name=tag.name, slug=tag.slug)
    instance.save()
    return APITag.from_model(instance)


def search_get(author: int, published: bool, limit: int = 20, offset: int = 0) -> APIPage:
    qs = Article.objects.filter(author=author, published=published).order_by("id")
    return APIPage(
        items=[APIRow.from_model(i) for i in qs[offset : offset + limit]], count=qs.count()
    )


def wide_get() -> list[APIWide]:
    return [APIWide.from_model(i) for i in Wide.objects.order_by("id")]


router = APIRouter()
router.get("/simulations/", response_model=list[APISimulation])(simulations_get)
router.get("/simulations/{simulation_id}/", response_model=APISimulation)(simulation_get)
router.patch("/simulations/{simulation_id}/", response_model=APISimulation)(simulation_patch)
router.get("/articles/", response_model=list[APIListed])(articles_get)
router.get("/articles/{article_id}/", response_model=APIArticle)(article_get)
router.post("/tags/", response_model=APITag, status_code=201)(tag_post)
router.get("/search/", response_model=APIPage)(search_get)
router.get("/wide/", response_model=list[APIWide])(wide_get)

app = FastAPI()
app.include_router(router, prefix="/api")
