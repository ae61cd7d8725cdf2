"""The error responses that the OpenAPI document lists for a route.

FastAPI lists 422, where a route takes anything. A route that takes what its model knows to be
unique, or one that runs again, lists 409 too; `errors()` writes the entries of others.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi.dependencies.models import Dependant

from django_mullet import conf
from django_mullet.error_handling.body_fields import body_fields
from django_mullet.error_handling.constraints import unique_fields
from django_mullet.error_handling.openapi_schemas import DETAIL, PROBLEM
from django_mullet.error_handling.problem_details import PROBLEM_JSON
from django_mullet.error_handling.retries import retries_of

__all__ = ["Responses", "errors", "with_known_errors"]

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """Return what `responses=` of a route takes, for errors that it answers with.

    `@router.get("/{pk}/", responses=errors(403, 404))`. In the form that the settings want.
    """
    media_type, schema = "application/json", DETAIL
    if conf.current().problem_details:
        media_type, schema = PROBLEM_JSON, PROBLEM
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {media_type: {"schema": schema}},
        }
        for status in statuses
    }


def with_known_errors(
    endpoint: Callable[..., Any], dependant: Dependant, responses: Responses
) -> Responses:
    """Return `responses`, a route's own, and the errors that are known of it."""
    statuses = []
    if retries_of(endpoint) or _may_meet_its_like(dependant):
        statuses.append(409)
    if conf.current().problem_details and _takes_anything(dependant):
        statuses.append(422)
    known = {str(status).upper() for status in responses}
    missing = [n for n in statuses if not known & {str(n), "4XX", "DEFAULT"}]
    return {**responses, **errors(*missing)}


def _may_meet_its_like(dependant: Dependant) -> bool:
    return any(
        field.model is not None
        and {field.name, field.name.removesuffix("_id")} & unique_fields(field.model)
        for field in body_fields(dependant)
    )


def _takes_anything(dependant: Dependant) -> bool:
    taken = (
        dependant.path_params,
        dependant.query_params,
        dependant.header_params,
        dependant.cookie_params,
        dependant.body_params,
    )
    return any(taken) or any(map(_takes_anything, dependant.dependencies))
