"""The share of connections that streams, WebSockets and background tasks may hold.

A request keeps its connection until it ends. Streams and sockets end when their clients want, so a
few slow ones could take every connection, and everybody else would wait. They have a share of the
connections; once that is used up, the next is refused.
"""

import os
import threading

from django_mullet import conf
from django_mullet.exceptions import Overloaded

__all__ = ["Share", "ShareMember", "share"]


class Share:
    """The number of those that hold connections and last."""

    def __init__(self) -> None:
        self.count = 0
        self._changing = threading.Lock()

    def enter(self, *, in_any_case: bool = False) -> None:
        """Count one more; raise `Overloaded` if the share is used up."""
        settings = conf.current()
        most = settings.lasting or max(1, settings.connections // 2)
        with self._changing:
            if self.count >= most and not in_any_case:
                raise Overloaded(
                    f"Streams, WebSockets and background tasks hold {self.count} connections, and "
                    f"MULLET['LASTING'] allows {most}. Write \"APIRouter(connection='call')\" "
                    "where each call of an 'async def' may use another connection; call "
                    "'connection.close()' (in 'async def', through 'sync_to_async') where the rest "
                    "needs none; or raise MULLET['LASTING'] and MULLET['CONNECTIONS']."
                )
            self.count += 1

    def leave(self) -> None:
        """Count one less."""
        with self._changing:
            self.count -= 1

    def reset(self) -> None:
        """Count from zero, in a forked process, which has none of them."""
        self.__init__()  # type: ignore[misc]


share = Share()
"""The share of this process."""


class ShareMember:
    """One that lasts, counted in the share while it holds connections."""

    __slots__ = ("_is_taken", "refusal")

    def __init__(self) -> None:
        self._is_taken = False
        self.refusal: Exception | None = None
        """Why it was not counted, and so got no connection."""

    def enter(self, *, in_any_case: bool = False) -> None:
        """Be counted, once; raise `Overloaded` as `Share.enter` does."""
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
        """Be counted no longer."""
        if self._is_taken:
            self._is_taken = False
            share.leave()


os.register_at_fork(after_in_child=share.reset)
