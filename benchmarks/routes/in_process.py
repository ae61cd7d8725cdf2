"""What does a request cost without a server? Drives both applications in this process.

`python -m benchmarks.routes.in_process OPTIONS` prints one measurement a line, as JSON.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from functools import partial

import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Scope

from benchmarks import cores
from benchmarks.routes.application import ROUTERS, build
from benchmarks.routes.cases import Case
from benchmarks.routes.measurement import SIDES, Block, Measurement, Options, compare

__all__ = ["main"]


async def main(options: Options) -> None:
    """Print the measurements of every case at every concurrency."""
    apps = {side: build(ROUTERS[side]) for side in SIDES}
    gc.freeze()  # the collection before each block need not look at Django
    for case in options.cases():
        expected = await exchange(apps["plain"], scopes(case)(), case.body)
        if (other := await exchange(apps["mullet"], scopes(case)(), case.body)) != expected:
            raise RuntimeError(f"'{case.name}': {other!r} is not {expected!r}.")
        for concurrency in options.in_process_concurrency:
            measurement = Measurement.start("in process", case, concurrency)
            block = partial(measure, apps, case, options.in_process_requests, concurrency)
            await compare(block, measurement, options.repetitions)
            print(measurement.to_json(), flush=True)


async def measure(
    apps: dict[str, FastAPI], case: Case, requests: int, concurrency: int, side: str
) -> Block:
    """Return what one of `requests` costs, `concurrency` at a time."""
    app, make_scope = apps[side], scopes(case)

    async def some() -> None:
        for _ in range(requests // concurrency):
            await exchange(app, make_scope(), case.body)

    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(some() for _ in range(concurrency)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    made = requests // concurrency * concurrency
    return Block(cpu=cpu / made * 1e6, wall=wall / made * 1e6)


async def exchange(app: ASGIApp, scope: Scope, body: bytes) -> bytes:
    """Return the body of the response; anything but a 200 raises."""
    received: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            received.append(message["body"])
        elif message["status"] != 200:
            raise RuntimeError(f"{scope['path']} answered {message['status']}.")

    await app(scope, receive, send)
    return b"".join(received)


def scopes(case: Case) -> Callable[[], Scope]:
    """Return what makes the scope of a request, as uvicorn would."""
    path, _, query = case.path.partition("?")
    headers = [
        (b"host", b"localhost"),
        (b"accept", b"*/*"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(case.body)).encode()),
    ]

    def scope() -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
            "scheme": "http",
            "method": case.method,
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "state": {},
        }

    return scope


if __name__ == "__main__":
    cores.take_for_server()
    uvloop.run(main(Options(**json.loads(sys.argv[1]))))
