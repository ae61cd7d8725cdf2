"""FastAPI with SQLAlchemy's asyncio extension on asyncpg: a session per request."""

import os
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import URL, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from tables import Article, Simulation, Tag, User
from wire import (
    ArticleOut,
    ListedOut,
    PageOut,
    SimulationOut,
    SimulationPatch,
    TagIn,
    TagOut,
)

url = URL.create(
    "postgresql+asyncpg",
    username=os.environ["PGUSER"],
    database=os.environ["PGDATABASE"],
    query={"host": os.environ["PGHOST"]},
)
engine = create_async_engine(url)
new_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def current_user(session: Session, x_api_key: Annotated[str, Header()]) -> User:
    user = await session.scalar(select(User).where(User.api_key == x_api_key).limit(1))
    if user is None:
        raise HTTPException(401, "X-API-Key is not known.")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


@app.get("/api/simulations/", response_model=list[SimulationOut])
async def simulations(session: Session, user: CurrentUser) -> Sequence[Simulation]:
    found = select(Simulation).where(Simulation.user_id == user.id).order_by(Simulation.id)
    return (await session.scalars(found)).all()


async def find(session: AsyncSession, user: User, pk: str) -> Simulation:
    found = await session.scalar(
        select(Simulation).where(Simulation.user_id == user.id, Simulation.id == pk)
    )
    if found is None:
        raise HTTPException(404, "Simulation not found.")
    return found


@app.get("/api/simulations/{pk}/", response_model=SimulationOut)
async def simulation(pk: str, session: Session, user: CurrentUser) -> Simulation:
    return await find(session, user, pk)


@app.patch("/api/simulations/{pk}/", response_model=SimulationOut)
async def patch_simulation(
    pk: str, body: SimulationPatch, session: Session, user: CurrentUser
) -> Simulation:
    found = await find(session, user, pk)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(found, name, value)
    await session.commit()
    return found


@app.get("/api/articles/", response_model=list[ListedOut])
async def articles(session: Session) -> Sequence[Article]:
    newest = (
        select(Article)
        .options(joinedload(Article.author), selectinload(Article.tags))
        .order_by(Article.published_at.desc(), Article.id.desc())
        .limit(20)
    )
    return (await session.scalars(newest)).all()


@app.get("/api/articles/{pk}/", response_model=ArticleOut)
async def article(pk: int, session: Session) -> Article:
    found = await session.scalar(
        select(Article)
        .options(joinedload(Article.author), selectinload(Article.tags))
        .where(Article.id == pk)
    )
    if found is None:
        raise HTTPException(404, "Article not found.")
    return found


@app.post("/api/tags/", response_model=TagOut, status_code=201)
async def create_tag(body: TagIn, session: Session) -> Tag:
    tag = Tag(name=body.name, slug=body.slug)
    session.add(tag)
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409, "There is such a tag.") from None
    return tag


@app.get("/api/search/", response_model=PageOut)
async def search(
    session: Session, author: int, published: bool, limit: int = 20, offset: int = 0
) -> dict[str, object]:
    conditions = (Article.author_id == author, Article.published == published)
    page = select(Article).where(*conditions).order_by(Article.id).limit(limit).offset(offset)
    count = select(func.count()).select_from(Article).where(*conditions)
    return {
        "items": (await session.scalars(page)).all(),
        "count": await session.scalar(count),
    }
