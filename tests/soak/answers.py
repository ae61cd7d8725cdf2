"""Is an answer the one that it must be?"""

from tests.soak.client import Reply
from tests.soak.records import Record

__all__ = ["Refused", "Unexpected", "expect", "expect_body"]

BUSY = b"The server is busy."
NAMED = ("AlreadyCommitted", "OutcomeUnknown")
"""Errors that the server's own handler tells apart from other 500s."""


class Unexpected(Exception):
    """An answer came, whole, and it is not the one that it must be."""


class Refused(Exception):
    """A stream or a WebSocket was refused: others hold the connections that are for such."""


def expect(record: Record, reply: Reply, *statuses: int) -> None:
    """Note the status; raise `Unexpected` if it is none of `statuses`, or `Refused`."""
    record.status = reply.status
    for name in NAMED:
        if reply.status == 500 and name.encode() in reply.body:
            raise Unexpected(name)
    if reply.status not in statuses:
        record.detail = repr(reply.body[-200:])
        if record.lasts and reply.status == 503 and BUSY in reply.body:
            raise Refused
        by_django = "/django/" in record.operation
        raise Unexpected(
            f"Django's status {reply.status}" if by_django else f"status {reply.status}"
        )


def expect_body(record: Record, is_right: bool, reply: Reply) -> None:
    """Raise `Unexpected` if not `is_right`."""
    if not is_right:
        record.detail = repr(reply.body[-200:])
        raise Unexpected("wrong body")
