"""What `manage.py schema` prints; checked by mypy and pyright."""

from datetime import date, datetime
from decimal import Decimal

from django_mullet import ModelSchema, Range

from tests.fieldtypes.models import Ranges


class RangesSchema(ModelSchema[Ranges]):
    id: int
    integers: Range[int]
    bigs: Range[int] | None
    decimals: Range[Decimal] | None
    dates: Range[date] | None
    moments: Range[datetime] | None
    several: list[Range[int]]
