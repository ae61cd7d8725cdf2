"""Does an API of every kind of field keep to what its OpenAPI document says?

Schemathesis asks it, with what the document allows and with what it does not.
"""

from typing import Any

import pytest
import schemathesis
from django.db import connection, models
from hypothesis import HealthCheck, provisional, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.fieldtypes import schemas
from tests.fieldtypes.api import app_of
from tests.fieldtypes.values import valid_for

EVERYWHERE: list[Any] = [
    schemas.ShelvedSchema,
    schemas.ComputedSchema,
    schemas.DocumentsSchema,
    schemas.FilesSchema,
    schemas.KeysSchema,
    schemas.MomentsSchema,
    schemas.NamedSchema,
    schemas.NumbersSchema,
    schemas.RelationsSchema,
    schemas.TextsSchema,
]
ON_POSTGRESQL: list[Any] = [
    schemas.ArraysSchema,
    schemas.RangesSchema,
    schemas.SearchableSchema,
]
NOT_CHECKED = [
    allow_header_conformance,  # Starlette answers for the first route of a path, not for all
    negative_data_rejection,  # Pydantic takes "1" for 1, unless it is told to be strict
]
NO_DOCUMENT_CAN_SAY = (
    "/relations/",  # which rows there are
    "/ranges/",  # which bound is the lower
    "/arrays/",  # that every row is as long as the others
)

schemathesis.openapi.format("email", valid_for(models.EmailField(), st.emails()))
schemathesis.openapi.format("uri", valid_for(models.URLField(), provisional.urls()))
schemathesis.openapi.format("ipvanyaddress", st.ip_addresses().map(str))
schemathesis.openapi.format("base64", st.sampled_from(["", "YQ==", "/+8="]))
# Pydantic writes 400 days as "P1Y35D", and RFC 3339 has no days after years.
schemathesis.openapi.format("duration", st.sampled_from(["P1D", "PT2H", "P364DT4H5M6S"]))
schemathesis.openapi.format("time-local", st.times().map(lambda time: time.isoformat()))
schemathesis.openapi.format("file-path", st.sampled_from([f"{schemas.models.HERE}/models.py"]))

app = app_of(*EVERYWHERE, *(ON_POSTGRESQL if connection.vendor == "postgresql" else []))
config = SchemathesisConfig.from_dict(
    # PostgreSQL stores no NUL, and a pattern that says so would stand at every text.
    {"generation": {"allow-x00": False}, "phases": {"coverage": {"enabled": False}}}
)
contract = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)


@contract.hook
def filter_body(context: Any, body: Any) -> bool:
    """Leave out decimals that are numbers: no JSON schema counts the digits of a float."""
    return not (isinstance(body, dict) and isinstance(body.get("decimal"), int | float))


@pytest.mark.django_db
@contract.parametrize()
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_to_its_document(case: schemathesis.Case) -> None:
    is_beyond_words = case.operation.path.startswith(NO_DOCUMENT_CAN_SAY)
    excluded = [*NOT_CHECKED, *([positive_data_acceptance] if is_beyond_words else [])]

    case.call_and_validate(excluded_checks=excluded)
