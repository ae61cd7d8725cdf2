"""Does an API of every kind of field keep to what its OpenAPI document says?

Schemathesis asks it, with what the document allows and with what it does not: by all of its checks.
"""

import os
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db import models as django_models
from hypothesis import HealthCheck, provisional, settings
from hypothesis import strategies as st
from pydantic import ConfigDict
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.fieldtypes import models, schemas
from tests.fieldtypes.api import app_of
from tests.fieldtypes.values import valid_for

EVERYWHERE: list[Any] = [
    schemas.ShelvedSchema,
    schemas.ComputedSchema,
    schemas.DocumentsSchema,
    schemas.FilesSchema,
    schemas.KeysSchema,
    schemas.LooseSchema,
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
LAX = [*EVERYWHERE, *(ON_POSTGRESQL if connection.vendor == "postgresql" else [])]

# Of an international domain Django does not look whether it is one.
emails = st.emails().filter(lambda address: "xn--" not in address.lower())
schemathesis.openapi.format("email", valid_for(django_models.EmailField(), emails))
schemathesis.openapi.format("uri", valid_for(django_models.URLField(), provisional.urls()))
schemathesis.openapi.format("ipvanyaddress", st.ip_addresses().map(str))
schemathesis.openapi.format("base64", st.sampled_from(["", "YQ==", "/+8="]))
schemathesis.openapi.format("time-local", st.times().map(lambda time: time.isoformat()))
schemathesis.openapi.format("file-path", st.sampled_from([f"{schemas.models.HERE}/models.py"]))


def strict(schema: Any) -> Any:
    """Return `schema` with bodies in which nothing is converted: as the document has them."""
    return type(schema.__name__, (schema,), {"model_config": ConfigDict(strict=True)})


# To make its cases takes half a minute, whatever tests are wanted: `make contract` takes it.
phases = {"coverage": {"enabled": "CONTRACT_COVERAGE" in os.environ}}
strict_api = schemathesis.openapi.from_asgi(
    "/openapi.json",
    app_of(*map(strict, LAX)),
    config=SchemathesisConfig.from_dict({"phases": phases}),
)
quick = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
lax_api = schemathesis.openapi.from_asgi("/openapi.json", app_of(*LAX), config=quick)

ALWAYS: Any = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
}
KEY = UUID(int=1)


@pytest.fixture
def rows(db: None) -> None:
    """What relations may refer to."""
    models.Named.objects.create(name="a")
    models.Keys.objects.create(id=KEY, uuid=KEY, ip="::1")


@strict_api.parametrize()
@settings(max_examples=20, **ALWAYS)
def test_a_strict_api_keeps_to_its_document(case: schemathesis.Case, rows: None) -> None:
    make_possible(case)

    case.call_and_validate()


@lax_api.parametrize()
@settings(max_examples=3, **ALWAYS)
def test_a_lax_api_refuses_nothing_that_its_document_allows(
    case: schemathesis.Case, rows: None
) -> None:
    make_possible(case)

    case.call_and_validate(excluded_checks=[negative_data_rejection])  # "1" is taken for 1


# What no document can say


def make_possible(case: schemathesis.Case) -> None:
    """Have what the document allows be what can be stored."""
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        case.body = possible(case.body)


def possible(value: Any, name: str = "") -> Any:
    """Return what the document allows as it can be stored."""
    if name in RELATED and value is not None:
        return RELATED[name](value)
    if name in DECIMALS and isinstance(value, int | float):
        return round(value % 999, 2)
    if name in DOCUMENTS:
        return without_nul(value)
    if name == "matrix" and value is not None:
        return [row[:1] or [0] for row in value]
    if isinstance(value, dict):
        value = in_order(value) if value.keys() & {"lower", "upper"} else value
        return {key: possible(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [possible(item, name) for item in value]
    # FastAPI writes limits as floats, and there is none between these and 2**63.
    is_big = isinstance(value, int) and abs(value) > 2**63 - 1024
    return max(-(2**63), min(value, 2**63 - 1)) if is_big else value


RELATED: dict[str, Any] = {
    "named_id": lambda _: "a",
    "unique_id": lambda _: str(KEY),
    "many": lambda _: [],
    "content_type_id": lambda _: ContentType.objects.get_for_model(models.Named).pk,
}
"""Which rows there are."""

DECIMALS = ("decimal", "decimals")
"""How many digits a number has: that of a float has more than were written."""

DOCUMENTS = ("document", "nullable", "default", "documents")
"""Texts at any depth, in which PostgreSQL stores no NUL."""


def without_nul(value: Any) -> Any:
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return value.replace("\0", "") if isinstance(value, str) else value


def in_order(value: dict[str, Any]) -> dict[str, Any]:
    """Return a range with its lower bound below the upper one."""
    bounds = [value.get("lower"), value.get("upper")]
    if None not in bounds:
        bounds.sort(key=as_value)
    ordered = value | dict(zip(("lower", "upper"), bounds, strict=True))
    # There is none after the last one, with which such a range would end.
    return ordered | ({"bounds": "[)"} if LAST & set(bounds) else {})


LAST = {2**31 - 1, 2**63 - 1, "9999-12-31"}


def as_value(bound: Any) -> Any:
    if isinstance(bound, str) and "-" in bound[1:]:
        return datetime.fromisoformat(bound)
    return Decimal(str(bound))
