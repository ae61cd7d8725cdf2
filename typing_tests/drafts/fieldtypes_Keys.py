"""What `manage.py schema` prints; checked by mypy and pyright."""

from uuid import UUID

from django_mullet import ModelSchema

from tests.fieldtypes.models import Keys


class KeysSchema(ModelSchema[Keys]):
    id: UUID
    uuid: UUID
    ip: str
    ipv4: str | None
