"""Does a Python client, made from the OpenAPI document, create, read, update and delete?

python crud.py http://127.0.0.1:8000 API_KEY
"""

import sys
from datetime import date

from goatfish_client import AuthenticatedClient, Client
from goatfish_client.api.simulations import (
    simulation_delete,
    simulation_get,
    simulation_put,
    simulations_get,
    simulations_post,
)
from goatfish_client.models import (
    APISimulation,
    APISimulationCreate,
    APISimulations,
    APISimulationUpdate,
    Error,
    HTTPValidationError,
)


def main(base_url: str, api_key: str) -> None:
    api = AuthenticatedClient(base_url, api_key, prefix="", auth_header_name="X-API-Key")
    start, end = date(2026, 1, 1), date(2026, 12, 31)

    created = simulations_post.sync(client=api, body=APISimulationCreate("Lagoon", start, end))
    assert isinstance(created, APISimulation)
    assert (created.name, created.start_date, created.end_date) == ("Lagoon", start, end)

    listed = simulations_get.sync(client=api)
    assert isinstance(listed, APISimulations)
    assert [item for item in listed.items if item.id == created.id] == [created]
    assert simulation_get.sync(created.id, client=api) == created

    body = APISimulationUpdate("Reef", start, end)
    updated = simulation_put.sync(created.id, client=api, body=body)
    assert updated == APISimulation(created.id, "Reef", start, end)

    refused = simulations_post.sync(client=api, body=APISimulationCreate("", start, end))
    assert isinstance(refused, HTTPValidationError)

    assert simulation_delete.sync(created.id, client=api) == updated
    gone = simulation_get.sync(created.id, client=api)
    assert isinstance(gone, Error)
    assert gone.detail == "Object not found."

    stranger = AuthenticatedClient(base_url, "wrong", prefix="", auth_header_name="X-API-Key")
    assert simulations_get.sync_detailed(client=stranger).status_code == 401
    print("Python: created, read, updated and deleted")


def wrong(api: AuthenticatedClient, anybody: Client) -> None:
    """What does not fit the document is an error of mypy's: else it finds a comment useless."""
    APISimulationCreate("Lagoon")  # type: ignore[call-arg]
    simulation_get.sync(1, client=api)  # type: ignore[arg-type]
    simulations_get.sync(client=anybody)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
