"""A server between the tests and PostgreSQL, which loses answers when it is told to.

It listens on a port of the loopback interface, and passes bytes on in both directions.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["Proxy", "proxied"]


class Proxy:
    """Passes on what is said to the database and back, until a query is to be lost."""

    def __init__(self, database: dict[str, Any]) -> None:
        self._database = database
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._losing = b""
        self._says: tuple[bytes, ...] = ()
        self._is_forwarded = True
        self.lost = threading.Event()

    def lose(self, query: bytes, *, says: tuple[str, ...] = (), forwarded: bool = True) -> None:
        """Close the next connection by which `query` comes, without the answer of the server.

        Each of what it `says` instead is a FATAL error. Unless it is `forwarded` the server never
        sees the query.
        """
        self._says = tuple(map(fatal, says))
        self._is_forwarded = forwarded
        self.lost.clear()
        self._losing = query

    def serve(self) -> None:
        with suppress(OSError):  # the test is over
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=[client], daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _pass_on(self, client: socket.socket) -> None:
        with client, self._connected() as server:
            muted = threading.Event()
            back = threading.Thread(target=copy, args=[server, client, muted], daemon=True)
            back.start()
            while data := received(client):
                if self._losing and self._losing in data:
                    self._losing = b""
                    muted.set()
                    self._lose(data if self._is_forwarded else b"", server, back)
                    client.sendall(b"".join(self._says))
                    self.lost.set()
                    return
                server.sendall(data)
            self._lose(b"", server, back)

    def _lose(self, data: bytes, server: socket.socket, back: threading.Thread) -> None:
        """Have the server do what `data` says, and end the session."""
        with suppress(OSError):  # it has ended already
            server.sendall(data + TERMINATE)
        back.join()

    def _connected(self) -> socket.socket:
        host, port = self._database["HOST"], self._database["PORT"] or 5432
        if host.startswith("/"):
            connected = socket.socket(socket.AF_UNIX)
            connected.connect(f"{host}/.s.PGSQL.{port}")
            return connected
        return socket.create_connection((host or "127.0.0.1", int(port)))


TERMINATE = b"X\0\0\0\4"


def fatal(message: str) -> bytes:
    """Return an `ErrorResponse` of PostgreSQL's protocol; `message` begins with its SQLSTATE."""
    sqlstate, _, text = message.partition(" ")
    fields = b"".join(
        code + value.encode() + b"\0"
        for code, value in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", sqlstate), (b"M", text))
    )
    return b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0"


def received(connected: socket.socket) -> bytes:
    with suppress(OSError):
        return connected.recv(65536)
    return b""


def copy(server: socket.socket, client: socket.socket, muted: threading.Event) -> None:
    while data := received(server):
        if not muted.is_set():
            with suppress(OSError):
                client.sendall(data)


@contextmanager
def proxied(database: dict[str, Any]) -> Iterator[Proxy]:
    """Yield a proxy before `database`."""
    proxy = Proxy(database)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
