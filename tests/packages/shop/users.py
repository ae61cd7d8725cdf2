"""Who calls, as Django's middleware knows it?"""

from typing import Annotated

from django.contrib.auth.models import User
from fastapi import Depends, HTTPException

from django_mullet import APIRouter, DjangoRequest

router = APIRouter(tags=["users"], django_middleware=True)


def current_user(request: DjangoRequest) -> User:
    """The user who has logged in, or 401."""
    if not request.user.is_authenticated:
        raise HTTPException(401, "Log in first.")
    return request.user


CurrentUser = Annotated[User, Depends(current_user)]


@router.get("/me/")
def me(user: CurrentUser) -> str:
    return user.get_username()


@router.get("/me/async/")
async def me_async(user: CurrentUser) -> str:
    return user.get_username()


@router.put("/me/")
def rename_me(user: CurrentUser, name: str) -> str:
    user.first_name = name
    user.save()
    return user.first_name


@router.put("/me/async/")
async def rename_me_async(user: CurrentUser, name: str) -> str:
    user.first_name = name
    await user.asave()
    return user.first_name
