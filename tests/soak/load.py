"""Which requests does the soak test send, and what must their answers be?"""

import asyncio
import hashlib
import itertools
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.soak import tenants
from tests.soak.answers import Refused, Unexpected, expect, expect_body
from tests.soak.client import Connection, Cut
from tests.soak.records import Record
from tests.soak.tables import COUNTERS

__all__ = ["CONCURRENCY", "READERS", "RETRIED", "Load"]

CONCURRENCY = 64
READERS = 8  # that are slow, apart from those: at times more than may hold a connection
HANGS = 25.0  # seconds without an answer; no fault lasts that long

SETTING = ["/api/def/setting", "/api/def/setting/loop", "/api/def/setting/background"]
SETTING += ["/api/def/savepoint", "/api/def/stream", "/api/async/setting"]
BY_ITSELF = ["/api/def/dependency", "/api/def/block"]
BY_ITSELF += ["/api/async/dependency", "/api/async/block"]
ATOMIC = ["/api/def/atomic", "/api/async/atomic"]
TOLD = ["/api/def/told", "/api/async/told"]
DJANGO = ["/django/write", "/django/stream"]
STREAMED = ["/api/def/stream", "/django/stream"]
RETRIED = ["/api/def/retry", "/api/async/retry"]
UPLOADS = ["/api/def/upload", "/api/async/upload"]
ROWS = ["/api/def/rows/", "/api/async/rows/", "/django/rows/"]
STREAMS = ["/api/def/stream", "/api/async/stream"]
SLEEPS = ["/api/def/sleep", "/api/async/sleep"]
STATUSES = {"keep": 200, "conflict": 403, "crash": 500, "swallow": 500, "swallow query": 500}
STATUSES |= {"refuse": 422}
OFTEN = {"keep": 20, "conflict": 3, "crash": 1, "swallow": 1, "swallow query": 1, "refuse": 3}


Kind = Callable[[Connection, Random, Record], Awaitable[None]]


class Load:
    """Clients that send one random request after the other until `over` is set."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.records: list[Record] = []
        self.over = asyncio.Event()
        self._seed = seed
        self._tokens = (f"{seed}-{number}" for number in itertools.count())
        self._written: deque[str] = deque(maxlen=1000)

    async def run(self) -> None:
        """Keep `CONCURRENCY` requests in flight until `over` is set and all are answered."""
        async with asyncio.TaskGroup() as clients:
            for number in range(CONCURRENCY):
                clients.create_task(self._client(Random(f"{self._seed}-client-{number}")))
            for number in range(READERS):
                clients.create_task(self._reader(Random(f"{self._seed}-reader-{number}")))

    async def burst(self) -> list[Record]:
        """Return what came of `CONCURRENCY` requests sent at the same time."""
        before = len(self.records)
        random = Random(f"{self._seed}-burst")
        requests = [self._one(Connection(self.port), random) for _ in range(CONCURRENCY)]
        await asyncio.gather(*requests)
        return self.records[before:]

    async def vanish(self, random: Random) -> None:
        """Send a request that may write, and be gone at any time before or while it is answered."""
        connection = Connection(self.port)
        kinds = [self._write, self._write, self._upload, self._stream, self._look, self._look]
        kind = random.choice(kinds)
        record = Record("gone", time.monotonic())
        asking = asyncio.ensure_future(kind(connection, Random(random.random()), record))
        await asyncio.wait([asking], timeout=random.uniform(0, 0.2))
        asking.cancel()
        await asyncio.wait([asking])
        connection.drop(rudely=True)
        if not asking.cancelled():
            asking.exception()
        record.ended = time.monotonic()
        self.records.append(record)

    async def _client(self, random: Random) -> None:
        connection = Connection(self.port)
        while not self.over.is_set():
            record = await self._one(connection, random)
            # After an exception, also of what comes after the answer, uvicorn closes the connection
            # unsaid: of a background task, and of a dependency that resets the tenant.
            is_followed = record.operation.endswith("background") or record.has_looked
            closes = record.status == 500 or is_followed
            if record.problem or closes or random.random() < 0.3:
                connection.drop()
            if record.problem or record.is_refused:  # as a client that is told to retry later
                await asyncio.sleep(random.uniform(0.1, 0.5))
        connection.drop()

    async def _reader(self, random: Random) -> None:
        connection = Connection(self.port)  # which is not used: each reads by its own
        while not self.over.is_set():
            await self._one(connection, random, self._linger)
            await asyncio.sleep(random.uniform(0.1, 2))

    async def _one(
        self, connection: Connection, random: Random, kind: Kind | None = None
    ) -> Record:
        if kind is None:
            [(kind, _)] = random.choices(self._mix, [weight for _, weight in self._mix])
        record = Record(kind.__name__, time.monotonic())
        try:
            async with asyncio.timeout(HANGS):
                await kind(connection, random, record)
        except Cut as cut:
            record.status = cut.status
            record.problem = "cut short" if cut.status else "cut"
            record.detail = f"{cut}, request {connection.requests} of its connection"
        except (OSError, WebSocketException) as error:
            hangs = isinstance(error, TimeoutError)
            record.problem = "hangs" if hangs else "cut"
            record.detail = repr(error)
        except Refused:
            record.is_refused = True
        except Unexpected as unexpected:
            record.problem = str(unexpected)
        record.ended = time.monotonic()
        self.records.append(record)
        return record

    @property
    def _mix(self) -> list[tuple[Kind, int]]:
        return [
            (self._write, 40),
            (self._read, 20),
            (self._upload, 8),
            (self._stream, 10),
            (self._sleep, 10),
            (self._talk, 6),
            (self._look, 12),
            (self._miss, 3),
        ]

    async def _write(self, connection: Connection, random: Random, record: Record) -> None:
        path = random.choice(SETTING + ATOMIC + TOLD + BY_ITSELF + DJANGO + RETRIED)
        ends = _ends(path)
        [outcome] = random.choices(ends, [OFTEN[end] for end in ends])
        pause = random.choice([0, random.uniform(0, 0.02), random.uniform(0, 0.1)])
        record.operation, record.token = f"POST {path}", next(self._tokens)
        order = {"token": record.token, "pause": pause, "outcome": outcome}
        statuses = [STATUSES[outcome]]
        if path in RETRIED:
            order["counter"] = random.randrange(COUNTERS)
            statuses.append(409)
        reply = await connection.ask("POST", path, [json.dumps(order).encode()])
        expect(record, reply, *statuses)
        if reply.status == 200:
            if path in STREAMED:
                expect_body(record, reply.body == b"0\n1\n", reply)
            else:
                expect_body(record, json.loads(reply.body) == {"token": record.token}, reply)
            self._written.append(record.token)

    async def _read(self, connection: Connection, random: Random, record: Record) -> None:
        token, found = "nothing", b"[]"
        if self._written:
            token, found = random.choice(self._written), b"[0,1]"
        path = random.choice(ROWS) + token
        record.operation = f"GET {path}"
        reply = await connection.ask("GET", path)
        expect(record, reply, 200)
        expect_body(record, reply.body.replace(b" ", b"") == found, reply)

    async def _upload(self, connection: Connection, random: Random, record: Record) -> None:
        path = random.choice(UPLOADS)
        record.operation, record.token = f"POST {path}", next(self._tokens)
        content = random.randbytes(random.choice([100, 10_000, 300_000]))
        body, content_type = content, "application/octet-stream"
        if path == "/api/def/upload":
            body, content_type = _form(content)
        size = max(1, len(body) // random.randint(1, 5))
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        pause = random.choice([0, random.uniform(0, 0.05)])
        target = f"{path}?token={record.token}"
        reply = await connection.ask("POST", target, pieces, content_type, pause)
        expect(record, reply, 200)
        digest = hashlib.sha256(content).hexdigest()
        expect_body(record, json.loads(reply.body) == digest, reply)
        self._written.append(record.token)

    async def _stream(self, connection: Connection, random: Random, record: Record) -> None:
        path = random.choice(STREAMS)
        record.operation, record.lasts = f"GET {path}", True
        count, pause = random.randint(0, 300), random.uniform(0, 0.1)
        reply = await connection.ask("GET", f"{path}?count={count}&pause={pause}")
        expect(record, reply, 200)
        lines = reply.body.splitlines()
        is_whole = lines[-1:] == [b"False"] and len(lines) <= count + 1
        expect_body(record, is_whole, reply)

    async def _sleep(self, connection: Connection, random: Random, record: Record) -> None:
        path = random.choice(SLEEPS)
        record.operation = f"GET {path}"
        reply = await connection.ask("GET", f"{path}?pause={random.uniform(0, 0.3)}")
        expect(record, reply, 200)

    async def _talk(self, connection: Connection, random: Random, record: Record) -> None:
        record.operation = "WebSocket"
        async with connect(f"ws://127.0.0.1:{self.port}/ws", compression=None) as socket:
            for number in range(random.randint(1, 5)):
                await socket.send(f"{number}")
                if await socket.recv() != f"{number}":
                    raise Unexpected("wrong echo")
                await asyncio.sleep(random.uniform(0, 0.1))

    async def _look(self, connection: Connection, random: Random, record: Record) -> None:
        await tenants.ask(self.port, connection, random, record)

    async def _linger(self, _: Connection, random: Random, record: Record) -> None:
        await tenants.linger(self.port, random, record)

    async def _miss(self, connection: Connection, random: Random, record: Record) -> None:
        path, status = random.choice([("/api/def/sleep", 422), ("/api/no", 404), ("/no", 404)])
        record.operation = f"GET {path}"
        expect(record, await connection.ask("GET", path), status)


def _ends(path: str) -> list[str]:
    """Return how a write there can end."""
    if path in TOLD:  # it is stored before the end
        return ["keep", "swallow", "swallow query"]
    ends = ["keep", "conflict", "crash"]
    if path in SETTING:
        ends.append("refuse")
    if path in SETTING + ATOMIC + RETRIED:  # Django's own blocks say nothing, and roll back
        ends += ["swallow", "swallow query"]
    return ends


def _form(content: bytes) -> tuple[bytes, str]:
    """Return `content` as the file of a form, and the form's content type."""
    head = b'--soak\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    return head + content + b"\r\n--soak--\r\n", "multipart/form-data; boundary=soak"
