"""How does the isolation test ask, and what comes back?"""

import asyncio
import json
import socket
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.isolation.matrix import LOOKS, Endpoint

__all__ = ["Answer", "Client"]

TIMEOUT = 60  # seconds
PAUSE = 0.1  # seconds that a slow client takes over a look
THOUGHT = 0.002  # seconds before the next message to a WebSocket
BUFFER = 32_768  # bytes that the operating system keeps for a slow client
BUSY = 1013  # the code by which a WebSocket is closed that should try again later


@dataclass(frozen=True, slots=True)
class Answer:
    """What the request of `tenant` has seen, each time that it looked."""

    path: str
    tenant: str
    status: int
    """That of HTTP, 0 if the answer does not end as it should; for a WebSocket its code."""
    looks: list[list[str]] = field(default_factory=list)

    @property
    def is_busy(self) -> bool:
        return self.status in {503, BUSY}


class Client:
    """Asks the server at `port`, in the name of a tenant."""

    def __init__(self, port: int) -> None:
        self._port = port
        # A connection for each: one that the server closes must not cost the next its answer.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        url = f"http://127.0.0.1:{port}"
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT, limits=limits)
        narrow = httpx.AsyncHTTPTransport(
            limits=limits, socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)]
        )
        self._slow = httpx.AsyncClient(base_url=url, timeout=TIMEOUT, transport=narrow)

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._slow.aclose()

    async def ask(self, endpoint: Endpoint, tenant: str) -> Answer:
        """Return what `endpoint` answers to `tenant`."""
        ask = getattr(self, f"_{endpoint.kind}")
        try:
            answer: Answer = await ask(endpoint.path, tenant)
        except (httpx.TransportError, json.JSONDecodeError, TimeoutError):
            return Answer(endpoint.path, tenant, 0)
        return answer

    async def _answer(self, path: str, tenant: str) -> Answer:
        response = await self._http.get(path, headers=_headers(tenant))
        looks = response.json() if response.status_code == 200 else []
        return Answer(path, tenant, response.status_code, looks)

    async def _task(self, path: str, tenant: str) -> Answer:
        token = uuid4().hex
        started = await self._http.get(path, headers=_headers(tenant), params={"token": token})
        if started.status_code != 202:
            return Answer(path, tenant, started.status_code)
        async with asyncio.timeout(TIMEOUT):
            while (found := await self._http.get(f"/found/{token}")).status_code == 404:
                await asyncio.sleep(0.05)
        return Answer(path, tenant, found.status_code, found.json())

    async def _stream(self, path: str, tenant: str) -> Answer:
        looks = []
        async with self._slow.stream("GET", path, headers=_headers(tenant)) as response:
            async for line in response.aiter_lines():
                if response.status_code == 200 and line.startswith("["):
                    looks.append(json.loads(line))
                    await asyncio.sleep(PAUSE)
        return Answer(path, tenant, response.status_code, looks)

    async def _socket(self, path: str, tenant: str) -> Answer:
        url = f"ws://127.0.0.1:{self._port}{path}"
        looks = []
        try:
            async with connect(
                url, additional_headers={"X-Tenant": tenant}, open_timeout=TIMEOUT
            ) as websocket:
                for _ in range(LOOKS):
                    await websocket.send("?")
                    looks.append(json.loads(await asyncio.wait_for(websocket.recv(), TIMEOUT)))
                    await asyncio.sleep(THOUGHT)
        except InvalidStatus as error:
            return Answer(path, tenant, error.response.status_code)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd is not None else 0
            return Answer(path, tenant, code, looks)
        return Answer(path, tenant, 200, looks)


def _headers(tenant: str) -> dict[str, str]:
    return {"X-Tenant": tenant, "Host": f"{tenant}.localhost"}
