"""Names of uvicorn beyond public API, by which `runserver` starts and ends it."""

import uvicorn

from django_mullet._compat.names import Name, require

__all__ = ["RELIED_ON", "end"]

RELIED_ON = (
    Name(
        "uvicorn.server.Server.should_exit",
        "The auto-reloader ends the server by it.",
        "a method that ends the server",
        used_in="uvicorn.server.Server.__init__",
    ),
)

require(RELIED_ON)


def end(server: uvicorn.Server) -> None:
    """Have `server` end as soon as it has answered what is open."""
    server.should_exit = True
