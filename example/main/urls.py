"""Where each endpoint answers, in Django's fashion: one file of routes per app."""

from django_mullet import APIRouter, errors
from main import views
from main.models import APISimulation, APISimulations

# No valid key. Of single routes: a body that is not UTF-8, no such simulation.
router = APIRouter(responses=errors(401))

router.get(
    "/simulation/",
    summary="Retrieve a list of all the simulations.",
    tags=["simulations"],
    response_model=APISimulations,
    name="simulations-get",
)(views.simulations_get)
router.post(
    "/simulation/",
    summary="Create a new simulation.",
    tags=["simulations"],
    response_model=APISimulation,
    responses=errors(400),
    name="simulations-post",
)(views.simulations_post)

router.get(
    "/simulation/{simulation_id}/",
    summary="Retrieve a specific simulation.",
    tags=["simulations"],
    response_model=APISimulation,
    responses=errors(404),
    name="simulation-get",
)(views.simulation_get)
router.put(
    "/simulation/{simulation_id}/",
    summary="Update a simulation.",
    tags=["simulations"],
    response_model=APISimulation,
    responses=errors(400, 404),
    name="simulation-put",
)(views.simulation_put)
router.delete(
    "/simulation/{simulation_id}/",
    summary="Delete a simulation.",
    tags=["simulations"],
    response_model=APISimulation,
    responses=errors(404),
    name="simulation-delete",
)(views.simulation_delete)
