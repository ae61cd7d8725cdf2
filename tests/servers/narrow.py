"""Serve by uvicorn with a small send buffer: `python -m tests.servers.narrow MODULE:APP PORT`.

On one machine the operating system takes megabytes off a server's hands. With a buffer as small
as between machines, a client that reads slowly is felt at once.
"""

import socket
import sys

import uvicorn

BUFFER = 32_768  # bytes


def main(app: str, port: int) -> None:
    config = uvicorn.Config(app, port=port, access_log=False, log_level="warning")
    listening = config.bind_socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
