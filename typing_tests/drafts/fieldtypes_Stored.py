"""What `manage.py schema` prints; checked by mypy and pyright."""

from django_mullet import ModelSchema

from tests.fieldtypes.models import Stored


class StoredSchema(ModelSchema[Stored]):
    id: int
    attributes: dict[str, str | None]
