"""Serves one of the applications: `python -m benchmarks.routes.server plain`; prints the port."""

import socket
import sys

import uvicorn

from benchmarks import cores
from benchmarks.routes.application import ROUTERS, build

if __name__ == "__main__":
    cores.take_for_server()
    config = uvicorn.Config(
        build(ROUTERS[sys.argv[1]]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[listener])
