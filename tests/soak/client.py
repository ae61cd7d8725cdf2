"""How does the soak test talk HTTP, so that it knows exactly what came back?

Bare, over asyncio's streams: a client library would repeat requests, and hide how far an answer
came.
"""

import asyncio
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Connection", "Cut", "Reply", "read_slowly"]

BUFFER = 32_768
"""Bytes that the operating system keeps for a client that reads slowly."""


class Cut(Exception):
    """The connection ended before the answer did; `status` is 0 if not even its head came."""

    def __init__(self, status: int, cause: Exception) -> None:
        super().__init__(repr(cause))
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes


class Connection:
    """A connection to the server at `port`, opened when needed, kept alive until `drop()`."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._port = port
        self._cookie = f"Cookie: {cookie}\r\n" if cookie else ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.requests = 0
        """How many were sent on the connection that is open, or was open last."""

    def drop(self, *, rudely: bool = False) -> None:
        """Close the connection; `rudely`, the server is told nothing but that it is gone."""
        if self._streams is not None:
            writer = self._streams[1]
            if rudely:
                writer.transport.abort()
            else:
                writer.close()
            self._streams = None

    async def ask(
        self,
        method: str,
        path: str,
        pieces: Sequence[bytes] = (),
        content_type: str = "application/json",
        pause: float = 0,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the answer to a request with a body of `pieces`, sent `pause` seconds apart.

        Raises `Cut`.
        """
        status = 0
        try:
            reader = await self._send(method, path, pieces, content_type, pause, headers or {})
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            status = int(head.split()[1])
            body = await _body(reader, head)
        except (OSError, EOFError) as error:
            self.drop()
            raise Cut(status, error) from error
        if "\r\nconnection: close" in head:
            self.drop()
        return Reply(status, body)

    async def _send(
        self,
        method: str,
        path: str,
        pieces: Sequence[bytes],
        content_type: str,
        pause: float,
        headers: Mapping[str, str],
    ) -> asyncio.StreamReader:
        if self._streams is not None and self._streams[0].at_eof():
            self.drop()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            self.requests = 0
        self.requests += 1
        reader, writer = self._streams
        length = sum(map(len, pieces))
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{self._cookie}{_lines(headers)}"
            f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
        return reader


async def read_slowly(
    port: int, path: str, headers: Mapping[str, str], pause: float, seconds: float
) -> Reply:
    """Return what comes of the answer to a GET in so many `seconds`, `pause` between its pieces.

    If that is not 200, the whole of it. Raises `Cut`.
    """
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    narrow.setblocking(False)
    status = 0
    try:
        with narrow:
            await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=narrow, limit=BUFFER)
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{_lines(headers)}\r\n".encode()
            )
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                status = int(head.split()[1])
                if status != 200:
                    return Reply(status, await _body(reader, head))
                return Reply(status, await _begun(reader, pause, seconds))
            finally:
                writer.transport.abort()
    except (OSError, EOFError) as error:
        raise Cut(status, error) from error


async def _begun(reader: asyncio.StreamReader, pause: float, seconds: float) -> bytes:
    until = time.monotonic() + seconds
    pieces = []
    while time.monotonic() < until and (piece := await _piece(reader)):
        pieces.append(piece)
        await asyncio.sleep(pause)
    return b"".join(pieces)


def _lines(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


async def _body(reader: asyncio.StreamReader, head: str) -> bytes:
    if "\r\ntransfer-encoding: chunked" not in head:
        return await reader.readexactly(int(head.partition("\r\ncontent-length:")[2].split()[0]))
    pieces = []
    while piece := await _piece(reader):
        pieces.append(piece)
    return b"".join(pieces)


async def _piece(reader: asyncio.StreamReader) -> bytes:
    """Return the next chunk; nothing at the end."""
    size = int(await reader.readuntil(b"\r\n"), 16)
    piece = await reader.readexactly(size)
    await reader.readexactly(2)
    return piece
