"""What does a request cost a real server? Loads one uvicorn process per application."""

import asyncio
import subprocess
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial

from benchmarks.routes.cases import Case
from benchmarks.routes.measurement import SIDES, Block, Measurement, Options, compare

__all__ = ["measure"]

CPU = Case("CPU time of the server so far", "/cpu")


async def measure(options: Options, database: str) -> AsyncIterator[Measurement]:
    """Yield the measurement of every case."""
    async with AsyncExitStack() as stack:
        ports = {side: stack.enter_context(server(side)) for side in SIDES}
        for case in options.cases():
            async with AsyncExitStack() as connections:
                loads = {
                    side: await connections.enter_async_context(
                        load(case, port, options.http_concurrency)
                    )
                    for side, port in ports.items()
                }
                expected = await loads["plain"].body()
                if (other := await loads["mullet"].body()) != expected:
                    raise RuntimeError(f"'{case.name}': {other!r} is not {expected!r}.")
                measurement = Measurement.start(
                    "uvicorn", case, options.http_concurrency, database=database
                )
                block = partial(run_block, loads, options.http_requests, expected)
                await compare(block, measurement, options.repetitions)
                yield measurement


@contextmanager
def server(side: str) -> Iterator[int]:
    """Yield the port of a server of that side's application."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.routes.server", side], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


class Connection:
    """One connection that is kept alive, and the request that is made over it."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, case: Case) -> None:
        self.reader = reader
        self.writer = writer
        self.request = (
            f"{case.method} {case.path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(case.body)}\r\n\r\n"
        ).encode() + case.body

    async def exchange(self) -> bytes:
        """Return the body of the response; anything but a 200 raises."""
        self.writer.write(self.request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        body = await self.reader.readexactly(int(length))
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{self.request!r} was answered {head + body!r}.")
        return body


class Load:
    """Some connections that make the same request, and one that asks for the CPU time."""

    def __init__(self, connections: list[Connection], clock: Connection) -> None:
        self.connections = connections
        self.clock = clock

    async def body(self) -> bytes:
        return await self.connections[0].exchange()

    async def block(self, requests: int, expected: bytes) -> Block:
        """Return what one of `requests` costs; every answer must be `expected`."""
        each = requests // len(self.connections)

        async def some(connection: Connection) -> None:
            for _ in range(each):
                if (body := await connection.exchange()) != expected:
                    raise RuntimeError(f"{body!r} is not {expected!r}.")

        cpu, wall = await self.cpu(), time.perf_counter()
        await asyncio.gather(*map(some, self.connections))
        wall = time.perf_counter() - wall
        cpu = await self.cpu() - cpu
        made = each * len(self.connections)
        return Block(cpu=cpu / made * 1e6, wall=wall / made * 1e6)

    async def cpu(self) -> float:
        return float(await self.clock.exchange())


async def run_block(loads: dict[str, Load], requests: int, expected: bytes, side: str) -> Block:
    return await loads[side].block(requests, expected)


@asynccontextmanager
async def load(case: Case, port: int, concurrency: int) -> AsyncIterator[Load]:
    """Yield `concurrency` connections that make the request of `case`."""
    cases = [case] * concurrency + [CPU]
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in cases]
    *connections, clock = (
        Connection(*stream, case) for stream, case in zip(streams, cases, strict=True)
    )
    try:
        yield Load(connections, clock)
    finally:
        for _, writer in streams:
            writer.close()
