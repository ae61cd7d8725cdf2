"""What do the streams of the tests consist of?"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from tests.testapp.models import Item

__all__ = ["SIZE", "Pieces", "produced"]

SIZE = 20_000  # bytes of one piece


@dataclass
class Produced:
    """How many pieces the latest stream has made so far."""

    number: int = 0


produced = Produced()


@dataclass(frozen=True, slots=True)
class Pieces:
    """So many `pieces`, for each of which there was a query; at `fail_at` there is an error.

    However the stream ends, an item "ended" is stored.
    """

    pieces: int = 10
    fail_at: int = -1

    def __iter__(self) -> Iterator[str]:
        try:
            for number in range(self.pieces):
                exists = Item.objects.filter(n=number).exists()
                yield self._made(number, exists=exists)
        finally:
            Item.objects.create(name="ended")

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            for number in range(self.pieces):
                exists = await Item.objects.filter(n=number).aexists()
                yield self._made(number, exists=exists)
        finally:
            # As a client that leaves cancels what is under way.
            await asyncio.shield(Item.objects.acreate(name="ended"))

    def _made(self, number: int, *, exists: bool) -> str:
        if number == self.fail_at:
            raise LookupError("in the middle")
        produced.number = number + 1
        return f"#{number} {exists}#".ljust(SIZE, ".")
