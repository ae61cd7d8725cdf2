"""The caller of a request, and which of the caller's objects is meant."""

from typing import Annotated, TypeVar

from django.db.models import Model, QuerySet
from fastapi import Depends, HTTPException, Path
from fastapi.security import APIKeyHeader

from main.models import Simulation, User

NULL_CHARACTER = "\x00"

ModelT = TypeVar("ModelT", bound=Model)

api_key_header = APIKeyHeader(name="X-API-Key", description="The user's API key.", auto_error=False)


def get_user(api_key: Annotated[str | None, Depends(api_key_header)]) -> User:
    """The active user with the given API key, or 401."""
    user = get_or_none(User.objects.filter(is_active=True), api_key=api_key)
    if user is None:
        raise HTTPException(
            status_code=401,
            detail="X-API-Key header invalid.",
            headers={"WWW-Authenticate": "APIKey"},
        )
    return user


CurrentUser = Annotated[User, Depends(get_user)]
"""The user who calls."""

SimulationID = Annotated[str, Path(description="The ID of the simulation.")]


def get_simulation(user: CurrentUser, simulation_id: SimulationID) -> Simulation:
    """The caller's simulation with the given ID, or 404."""
    return get_object(user.simulation_set.all(), simulation_id)


OwnSimulation = Annotated[Simulation, Depends(get_simulation)]
"""The simulation that the path names, if it is the caller's."""


def lock_simulation(user: CurrentUser, simulation_id: SimulationID) -> Simulation:
    """The same, locked until the request's transaction ends."""
    return get_object(user.simulation_set.select_for_update(), simulation_id)


LockedSimulation = Annotated[Simulation, Depends(lock_simulation)]
"""The simulation that the path names, if it is the caller's, and for nobody else to change."""


def get_object(queryset: QuerySet[ModelT], pk: str) -> ModelT:
    """The queryset's object with the given primary key, or 404."""
    instance = get_or_none(queryset, pk=pk)
    if instance is None:
        raise HTTPException(status_code=404, detail="Object not found.")
    return instance


def get_or_none(queryset: QuerySet[ModelT], **lookup: str | None) -> ModelT | None:
    # PostgreSQL refuses a null character, even to compare with.
    if any(not value or NULL_CHARACTER in value for value in lookup.values()):
        return None
    return queryset.filter(**lookup).first()
