"""How is an answer read slowly? Over sockets that buffer little, 2 kB a second of each.

`python -m tests.slow_readers.readers PORT PATH...` is a process of its own, so that it delays
nobody who looks at a clock. It prints how many seconds it took until each reader had a part of its
answer, and once its standard input ends what each has got, as JSON.
"""

import json
import select
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from tests.slow_readers.scenarios import READERS

__all__ = ["Outcome", "Reader", "read"]

RATE = 2_000  # bytes a second
BUFFER = 4096  # bytes, of the kernel's
PATIENCE = 5.0
"""Seconds after which it is taken for granted that some readers get nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reader has got."""

    path: str
    status: int
    """0 if there was no answer."""
    received: int
    """Bytes, with the head."""
    cut: bool
    """The server has closed the connection."""


class Reader:
    """A client that has sent its request for `path` and reads when it is told to."""

    def __init__(self, port: int, path: str) -> None:
        self._path = path
        self._head = b""
        self._received = 0
        self._cut = False
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self._socket.setblocking(False)

    def read(self) -> None:
        """Take the next bytes, if there are some."""
        if self._cut:
            return
        try:
            data = self._socket.recv(RATE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._cut = not data
        self._received += len(data)
        if len(self._head) < RATE:
            self._head += data

    @property
    def has_begun(self) -> bool:
        return self._received > 0

    def outcome(self) -> Outcome:
        status = 0
        with suppress(IndexError, ValueError):
            status = int(self._head.split(b" ", 2)[1])
        return Outcome(self._path, status, self._received, self._cut)


def read(readers: Sequence[Reader]) -> None:
    """Have each reader read once a second until standard input ends."""
    started = time.monotonic()
    settled = False
    while True:
        for reader in readers:
            reader.read()
            if select.select([sys.stdin], [], [], 1 / len(readers))[0]:
                return
            took = time.monotonic() - started
            if not settled and (took > PATIENCE or all(each.has_begun for each in readers)):
                settled = True
                print(f"{took:.1f}", flush=True)


if __name__ == "__main__":
    paths = sys.argv[2:]
    found = [Reader(int(sys.argv[1]), paths[number % len(paths)]) for number in range(READERS)]
    read(found)
    print(json.dumps([asdict(reader.outcome()) for reader in found]))
