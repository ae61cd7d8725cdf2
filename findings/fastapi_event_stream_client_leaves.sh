#!/usr/bin/env bash
# FastAPI 0.165.0, uvicorn 0.54.0: each client that leaves an event stream while it reads more slowly
# than the endpoint yields ends the request with an exception in the server's log.
#
# A good guess: a client may leave whenever it likes, and that is no error, as it is none where a
# `StreamingResponse` is returned. But FastAPI closes the receiving end of its own memory stream
# before it cancels the task that sends to it. If that waits there just then, as it does behind a slow
# client, it raises `anyio.BrokenResourceError`, and its group of tasks an `ExceptionGroup`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "fastapi==0.165.0" "uvicorn==0.54.0"
cd "$folder"
cat > finding.py <<'PY'
import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

PIECE = "x" * 20_000

app = FastAPI()


@app.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterator[str]:
    for _ in range(1000):
        yield PIECE
        await asyncio.sleep(0)


@app.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(pieces())


async def pieces() -> AsyncIterator[str]:
    for _ in range(1000):
        yield PIECE
        await asyncio.sleep(0)


def ask_and_leave(path: str, port: int) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        client.recv(100)
        time.sleep(0.5)  # the buffers in between are full
    time.sleep(0.5)


listening = socket.socket()
listening.bind(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
thread.start()
while not server.started:
    time.sleep(0.05)
for path in ("/stream", "/events"):
    print("asked for", path, flush=True)
    ask_and_leave(path, listening.getsockname()[1])
server.should_exit = True
thread.join()
PY
"$folder/venv/bin/python" finding.py 2>&1 | grep -E "^asked|BrokenResourceError" | tee output
[ "$(sed -n 2p output)" = "asked for /events" ]
sed 1,2d output | grep -q "BrokenResourceError"
