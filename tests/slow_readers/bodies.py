"""What do the answers consist of that are read slowly?"""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import transaction

from tests.slow_readers.scenarios import PIECE, SIZE
from tests.testapp.models import Item

__all__ = ["exported", "large_file", "queried"]


def large_file() -> Path:
    return Path(str(settings.STATIC_ROOT), "large.bin")


def queried() -> Iterator[bytes]:
    """Yield pieces, for each of which there was a query."""
    for number in range(SIZE // PIECE):
        yield _piece(Item.objects.get(n=number))


def exported() -> Iterator[bytes]:
    """Yield a piece for each row that a server-side cursor reads in a transaction."""
    with transaction.atomic():
        for item in Item.objects.order_by("n").iterator(chunk_size=100):
            yield _piece(item)


def _piece(item: Item) -> bytes:
    return item.name.encode().ljust(PIECE, b".")
