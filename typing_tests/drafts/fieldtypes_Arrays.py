"""What `manage.py schema` prints; checked by mypy and pyright."""

from datetime import datetime
from decimal import Decimal

from django_mullet import ModelSchema
from pydantic import JsonValue

from tests.fieldtypes.models import Arrays


class ArraysSchema(ModelSchema[Arrays]):
    id: int
    integers: list[int]
    texts: list[str]
    moments: list[datetime]
    decimals: list[Decimal]
    blobs: list[bytes]
    matrix: list[list[int]] | None
    documents: list[JsonValue]
