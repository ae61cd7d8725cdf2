"""What `manage.py schema` prints; checked by mypy and pyright."""

from builtins import float as float_type
from decimal import Decimal

from django_mullet import ModelSchema

from tests.fieldtypes.models import Numbers


class NumbersSchema(ModelSchema[Numbers]):
    id: int
    small: int
    integer: int
    big: int
    positive_small: int
    positive: int
    positive_big: int
    decimal: Decimal
    float: float_type
    boolean: bool
    nullable_boolean: bool | None
    stars: int | None
