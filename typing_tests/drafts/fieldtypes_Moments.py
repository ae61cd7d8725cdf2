"""What `manage.py schema` prints; checked by mypy and pyright."""

from datetime import (
    date as date_type,
    datetime as datetime_type,
    time as time_type,
    timedelta,
)

from django_mullet import ModelSchema

from tests.fieldtypes.models import Moments


class MomentsSchema(ModelSchema[Moments]):
    id: int
    date: date_type
    datetime: datetime_type
    time: time_type
    duration: timedelta
    created: datetime_type
    seen: datetime_type
