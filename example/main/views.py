"""The endpoints: plain functions of what their dependencies found."""

from django_mullet import Create, Update
from main.dependencies import CurrentUser, LockedSimulation, OwnSimulation
from main.models import APISimulation, APISimulations, Simulation


def simulations_get(user: CurrentUser) -> APISimulations:
    """Return the caller's simulations."""
    return APISimulations.from_qs(user.simulation_set.all())


def simulations_post(user: CurrentUser, body: Create[APISimulation]) -> APISimulation:
    """Create a simulation."""
    simulation = Simulation.from_api(body, user=user)
    simulation.save()
    return APISimulation.from_model(simulation)


def simulation_get(simulation: OwnSimulation) -> APISimulation:
    """Return one of the caller's simulations."""
    return APISimulation.from_model(simulation)


def simulation_put(simulation: LockedSimulation, body: Update[APISimulation]) -> APISimulation:
    """Update a simulation."""
    simulation.update_from_api(body)
    simulation.save()
    return APISimulation.from_model(simulation)


def simulation_delete(simulation: LockedSimulation) -> APISimulation:
    """Delete a simulation, and return what it was."""
    deleted = APISimulation.from_model(simulation)
    simulation.delete()
    return deleted
