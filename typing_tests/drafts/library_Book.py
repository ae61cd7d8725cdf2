"""What `manage.py schema` prints; checked by mypy and pyright."""

from datetime import datetime
from decimal import Decimal

from django_mullet import ModelSchema

from tests.library.models import Book


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    language: str
    price: Decimal
    author_id: int
    created: datetime
    tags: list[str]
    # Left out, as secrets are: secret
