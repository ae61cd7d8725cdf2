"""The share of connections that streams, WebSockets and background tasks may hold.

A request has its connection to its end. Streams and sockets end when their clients want, so that
a few slow ones would have all connections, and everybody else would wait for one. A share of the
connections is theirs; who comes when that is used up is refused.
"""

import os
import threading

from django_mullet import conf
from django_mullet.exceptions import Overloaded

__all__ = ["Share", "ShareMember", "share"]


class Share:
    """Counts those that hold connections and last."""

    def __init__(self) -> None:
        self.count = 0
        self._changing = threading.Lock()

    def enter(self, *, in_any_case: bool = False) -> None:
        """Count one more; raise `Overloaded` if there are as many as may be."""
        limits = conf.current()
        most = limits.lasting or max(1, limits.connections // 2)
        with self._changing:
            if self.count >= most and not in_any_case:
                raise Overloaded(
                    f"Streams, WebSockets and background tasks hold {self.count} connections, and "
                    f"MULLET['LASTING'] lets them hold {most}. Write "
                    "\"APIRouter(connection='call')\" where each call of an 'async def' may have "
                    "another connection, call 'connection.close()', in 'async def' by "
                    "'sync_to_async', where the rest needs none, or raise MULLET['LASTING'] and "
                    "MULLET['CONNECTIONS']."
                )
            self.count += 1

    def leave(self) -> None:
        """Count one less."""
        with self._changing:
            self.count -= 1

    def reset(self) -> None:
        """Forget all, in a process that has none of them."""
        self.__init__()  # type: ignore[misc]


share = Share()
"""That of this process."""


class ShareMember:
    """That of one which lasts in the share, while it holds connections."""

    __slots__ = ("_is_taken", "refusal")

    def __init__(self) -> None:
        self._is_taken = False
        self.refusal: Exception | None = None
        """Why it has got none."""

    def enter(self, *, in_any_case: bool = False) -> None:
        """Count once; raise `Overloaded` as `Share.enter` does."""
        if self._is_taken:
            return
        try:
            share.enter(in_any_case=in_any_case)
        except Overloaded as error:
            self.refusal = error
            raise
        self.refusal = None
        self._is_taken = True

    def leave(self) -> None:
        """Count no more, if it does."""
        if self._is_taken:
            self._is_taken = False
            share.leave()


os.register_at_fork(after_in_child=share.reset)
