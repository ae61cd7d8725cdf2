"""What `manage.py schema` prints; checked by mypy and pyright."""

from uuid import UUID

from django_mullet import ModelSchema

from tests.fieldtypes.models import Relations


class RelationsSchema(ModelSchema[Relations]):
    id: int
    named_id: str
    unique_id: UUID | None
    content_type_id: int | None
    object_id: int | None
    many: list[int]
