"""Does a tenant of the soak test see the own rows, whatever breaks meanwhile?

The endpoints are those of the isolation test.
"""

import asyncio
import json
import time
from random import Random

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.isolation.client import Answer
from tests.isolation.matrix import ENDPOINTS, LOOKS, TENANTS, Endpoint
from tests.isolation.tally import tally
from tests.soak.answers import BUSY, Refused, Unexpected, expect
from tests.soak.client import Connection, Cut, Reply, read_slowly
from tests.soak.records import Record

__all__ = ["ask", "expect_own", "linger"]

PREFIX = "/tenants"
ASKED = [endpoint for endpoint in ENDPOINTS if endpoint.expected != "foreign"]
FAILED = 10.0  # seconds in which a background task has found what there is, or has failed
LONG = ["stream", "async-stream", "generator"]


async def ask(port: int, connection: Connection, random: Random, record: Record) -> None:
    """Have any endpoint look at the rows of any tenant."""
    endpoint, tenant = random.choice(ASKED), random.choice(TENANTS)
    record.operation, record.lasts = f"GET {PREFIX}{endpoint.path} of {tenant}", endpoint.lasts
    if endpoint.kind == "socket":
        looks = await _talk(port, endpoint, tenant, record)
    elif endpoint.kind == "task":
        looks = json.loads((await _have_done(connection, endpoint, tenant, random, record)).body)
    else:
        reply = await connection.ask("GET", PREFIX + endpoint.path, headers=_named(tenant))
        expect(record, reply, 200)
        looks = _looks(reply.body) if endpoint.lasts else json.loads(reply.body)
    expect_own(record, endpoint, tenant, looks)


async def linger(port: int, random: Random, record: Record) -> None:
    """Read a long stream of any tenant slowly, and leave in the middle."""
    name, tenant = random.choice(LONG), random.choice(TENANTS)
    path = f"{PREFIX}/long/{name}"
    record.operation, record.lasts = f"GET {path} of {tenant}, slowly", True
    pause, seconds = random.uniform(0.05, 0.2), random.uniform(0.5, 3)
    reply = await read_slowly(port, path, _named(tenant), pause, seconds)
    expect(record, reply, 200)
    endpoint = Endpoint(name, path, kind="stream")
    for look in _looks(reply.body):  # however many there were: each must be right
        expect_own(record, endpoint, tenant, [look] * LOOKS)


def expect_own(record: Record, endpoint: Endpoint, tenant: str, looks: list[list[str]]) -> None:
    """Note how many rows of others `looks` show; raise `Unexpected` if some of the own are not."""
    found = tally(endpoint, [Answer(endpoint.path, tenant, 200, looks)])
    record.has_looked = True
    record.foreign += found.foreign
    if found.missing:
        record.detail = f"{found.missing} rows are missing: {looks}"
        raise Unexpected("missing rows")


async def _have_done(
    connection: Connection, endpoint: Endpoint, tenant: str, random: Random, record: Record
) -> Reply:
    """Start a background task; return what it has found."""
    token = f"{random.getrandbits(64):x}"
    path = f"{PREFIX}{endpoint.path}?token={token}"
    started = await connection.ask("GET", path, headers=_named(tenant))
    expect(record, started, 202)
    sent = connection.requests
    until = time.monotonic() + FAILED
    while time.monotonic() < until:
        try:
            found = await connection.ask("GET", f"{PREFIX}/found/{token}")
        except Cut as cut:
            record.detail = str(cut)
            break
        if connection.requests <= sent:
            break  # that was another connection, and maybe another process
        if found.status != 404:
            expect(record, found, 200)
            return found
        await asyncio.sleep(0.02)
    raise Unexpected("task failed")


async def _talk(port: int, endpoint: Endpoint, tenant: str, record: Record) -> list[list[str]]:
    url = f"ws://127.0.0.1:{port}{PREFIX}{endpoint.path}"
    looks = []
    try:
        async with connect(url, additional_headers=_named(tenant), compression=None) as websocket:
            for _ in range(LOOKS):
                await websocket.send("?")
                looks.append(json.loads(await websocket.recv()))
    except InvalidStatus as error:
        response = error.response
        expect(record, Reply(response.status_code, bytes(response.body or b"")), 101)
    except ConnectionClosed as error:
        if error.rcvd is None:
            raise
        record.detail = error.rcvd.reason
        if error.rcvd.code == 1013 and record.detail == BUSY.decode():
            raise Refused from error
        raise Unexpected(f"closed {error.rcvd.code}") from error
    return looks


def _named(tenant: str) -> dict[str, str]:
    return {"X-Tenant": tenant}


def _looks(body: bytes) -> list[list[str]]:
    """Return the looks of a stream, between which there are other lines."""
    return [json.loads(line) for line in body.splitlines() if line.startswith(b"[")]
