"""What `manage.py schema` prints; checked by mypy and pyright."""

from django_mullet import ModelSchema
from pydantic import JsonValue

from tests.fieldtypes.models import Documents


class DocumentsSchema(ModelSchema[Documents]):
    id: int
    document: JsonValue
    nullable: JsonValue
    default: JsonValue
