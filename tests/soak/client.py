"""How does the soak test talk HTTP, so that it knows exactly what came back?

Bare, over asyncio's streams: a client library would repeat requests, and hide how far an answer
came.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Connection", "Cut", "Reply"]


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
    ) -> Reply:
        """Return the answer to a request with a body of `pieces`, sent `pause` seconds apart.

        Raises `Cut`.
        """
        status = 0
        try:
            reader, _ = await self._send(method, path, pieces, content_type, pause)
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
        self, method: str, path: str, pieces: Sequence[bytes], content_type: str, pause: float
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.drop()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            self.requests = 0
        self.requests += 1
        reader, writer = self._streams
        length = sum(map(len, pieces))
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{self._cookie}"
            f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
        return reader, writer


async def _body(reader: asyncio.StreamReader, head: str) -> bytes:
    if "\r\ntransfer-encoding: chunked" not in head:
        return await reader.readexactly(int(head.partition("\r\ncontent-length:")[2].split()[0]))
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(pieces)
