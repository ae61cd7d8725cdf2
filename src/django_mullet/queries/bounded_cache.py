"""A cache bounded in size, for keys that clients can choose.

A JSON key, an order of columns: whoever names them could have a process keep something for each
name that he thinks of. So what is made is kept by how much it is, and what is not asked for any
more makes room.
"""

from typing import Generic, TypeVar

__all__ = ["Recent"]

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps what was put or found of late: at least `most` of it by weight, at most twice that.

    In two generations, so that finding something again moves nothing: as soon as the younger one
    is full the older one is forgotten. Several threads may use it at once; at worst they make the
    same thing twice.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: dict[object, tuple[T, int]] = {}
        self._old: dict[object, tuple[T, int]] = {}
        self._weight = 0

    def get(self, key: object) -> T | None:
        """Return what is kept for `key`, if anything is."""
        found = self._young.get(key)
        if found is not None:
            return found[0]
        found = self._old.pop(key, None)
        if found is None:
            return None
        return self.put(key, *found)

    def put(self, key: object, value: T, weight: int) -> T:
        """Keep `value`, unless it is heavier than all that may be kept; return it."""
        if weight <= self._most:
            if self._weight + weight > self._most:
                self._old, self._young, self._weight = self._young, {}, 0
            self._young[key] = value, weight
            self._weight += weight
        return value
