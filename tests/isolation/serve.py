"""Serve the isolation test's endpoints: `python -m tests.isolation.serve PORT`.

By uvicorn, as in production, but for a small send buffer: a client that reads slowly is felt at
once, and need not be sent megabytes first.
"""

import socket
import sys

import django

django.setup()

import uvicorn  # noqa: E402
from fastapi import FastAPI  # noqa: E402

from django_mullet.asgi import mount_django  # noqa: E402
from tests.isolation import controls, routes  # noqa: E402

BUFFER = 32_768  # bytes

app = FastAPI()
for router in (routes.router, routes.outside, controls.router):
    app.include_router(router)
mount_django(app)


def main(port: int) -> None:
    config = uvicorn.Config(app, port=port, access_log=False, log_level="warning")
    listening = config.bind_socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(int(sys.argv[1]))
