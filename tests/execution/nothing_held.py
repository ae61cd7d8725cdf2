"""How does a test see that requests have given everything back?"""

from django_mullet.execution.connection_share import share
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.workers import pool
from tests.waiting import until

__all__ = ["assert_nothing_is_held"]


def assert_nothing_is_held() -> None:
    until(lambda: len(pool._idle) == pool.size and not pool.waiting, 5)
    assert len(slots_of("default")._idle) == slots_of("default").open
    assert share.count == 0
