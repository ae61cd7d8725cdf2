"""django-bolt with `async def` handlers, which its documentation recommends."""

from typing import Annotated

from django_bolt import BoltAPI
from django_bolt.exceptions import HTTPException, NotFound
from django_bolt.param_functions import Depends, Header

from serializers import (
    ArticleOut,
    ListedOut,
    PageOut,
    RowOut,
    SimulationOut,
    SimulationPatch,
    TagIn,
    TagOut,
)
from shop.models import Article, Simulation, Tag, User

api = BoltAPI(prefix="/api", trailing_slash="keep", enable_logging=False)


async def current_user(x_api_key: Annotated[str, Header(alias="X-API-Key")]) -> User:
    user = await User.objects.filter(api_key=x_api_key).afirst()
    if user is None:
        raise HTTPException(status_code=401, detail="X-API-Key is not known.")
    return user


@api.get("/simulations/")
async def simulations(user: Annotated[User, Depends(current_user)]) -> list[SimulationOut]:
    return Simulation.objects.filter(user=user).order_by("id")


@api.get("/simulations/{pk}/")
async def simulation(pk: str, user: Annotated[User, Depends(current_user)]) -> SimulationOut:
    found = await Simulation.objects.filter(user=user, pk=pk).afirst()
    if found is None:
        raise NotFound(detail="Simulation not found.")
    return SimulationOut.from_model(found)


@api.patch("/simulations/{pk}/")
async def patch_simulation(
    pk: str, data: SimulationPatch, user: Annotated[User, Depends(current_user)]
) -> SimulationOut:
    found = await Simulation.objects.filter(user=user, pk=pk).afirst()
    if found is None:
        raise NotFound(detail="Simulation not found.")
    data.update_instance(found)
    await found.asave()
    return SimulationOut.from_model(found)


@api.get("/articles/")
async def articles() -> list[ListedOut]:
    return Article.objects.order_by("-published_at", "-id")[:20]


@api.get("/articles/{pk}/")
async def article(pk: int) -> ArticleOut:
    with_relations = Article.objects.select_related("author").prefetch_related("tags")
    found = await with_relations.filter(pk=pk).afirst()
    if found is None:
        raise NotFound(detail="Article not found.")
    return ArticleOut.from_model(found)


@api.post("/tags/", status_code=201)
async def create_tag(data: TagIn) -> TagOut:
    if await Tag.objects.filter(slug=data.slug).aexists():
        raise HTTPException(status_code=409, detail="There is such a tag.")
    return TagOut.from_model(await Tag.objects.acreate(**data.to_dict()))


@api.get("/search/")
async def search(author: int, published: bool, limit: int = 20, offset: int = 0) -> PageOut:
    found = Article.objects.filter(author=author, published=published).order_by("id")
    items = await RowOut.afrom_models(found[offset : offset + limit])
    return PageOut(items=items, count=await found.acount())
