"""`manage.py runserver`: the FastAPI application, and Django behind it, served by uvicorn."""

import logging
import os
import sys
import threading
import time
from typing import Any, cast

import fastapi
import uvicorn
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.runserver import Command as RunserverCommand
from django.core.servers.basehttp import WSGIServer
from django.utils import autoreload
from django.utils.version import get_docs_version
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from django_mullet._compat.uvicorn import end
from django_mullet.applications import get_application, get_application_path
from django_mullet.django_handler import SERVE_STATIC
from django_mullet.management.reloader import run_with_reloader

__all__ = ["AccessLog", "Command", "UvicornServer"]

SHUTDOWN_TIMEOUT = 1  # seconds that open requests have to end when the code is reloaded

logger = logging.getLogger("django.server")


class AccessLog:
    """An ASGI application that logs the requests of another as Django's development server does."""

    def __init__(self, app: ASGIApp, *, serve_static: bool) -> None:
        self.app = app
        self.serve_static = serve_static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SERVE_STATIC] = self.serve_static
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = size = 0

        async def logging_send(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, logging_send)
        finally:
            log_request(scope, status=status, size=size)


def log_request(scope: Scope, *, status: int, size: int) -> None:
    """Log a request; a `status` of 0 means that the client left before the response started."""
    target = scope["raw_path"].decode("latin-1")
    if query := scope["query_string"]:
        target += "?" + query.decode("latin-1")
    logger.log(
        logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO,
        '"%s %s HTTP/%s" %s %s',
        scope["method"],
        target,
        scope["http_version"],
        status or "-",
        size,
        extra={"server_time": time.strftime("%d/%b/%Y %H:%M:%S"), "status_code": status},
    )


class UvicornServer(WSGIServer):
    """The socket of Django's development server, with a uvicorn server behind it."""

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Run the `uvicorn.Server` that stands where Django expects the WSGI application."""
        server: uvicorn.Server = self.get_app()  # type: ignore[assignment]
        server.run(sockets=[self.socket])


class Command(RunserverCommand):
    """Django's `runserver`, options, checks and auto-reloader included, with an ASGI server."""

    help = "Starts a lightweight development server for the FastAPI application and Django."
    server_cls = UvicornServer
    addr: str  # set by handle()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.server: uvicorn.Server | None = None
        self.stopped = threading.Event()

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if not apps.is_installed("django.contrib.staticfiles"):
            return
        parser.add_argument(
            "--nostatic",
            action="store_false",
            dest="use_static_handler",
            help="Tells Django to NOT automatically serve static files at STATIC_URL.",
        )
        parser.add_argument(
            "--insecure",
            action="store_true",
            dest="insecure_serving",
            help="Allows serving static files even if DEBUG is False.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            get_application_path()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        super().handle(*args, **options)

    def run(self, **options: Any) -> None:
        try:
            if options["use_reloader"]:
                run_with_reloader(self.inner_run, **options)
            else:
                super().run(**options)
        finally:
            self.stop()

    def stop(self) -> None:
        """Let the server end properly when the auto-reloader, in the main thread, is done.

        The server's own thread is a daemon, and would end in the middle of whatever it does.
        """
        if self.server is not None:
            end(self.server)
            self.stopped.wait(2 * SHUTDOWN_TIMEOUT)

    def inner_run(self, *args: Any, **options: Any) -> None:
        try:
            autoreload.raise_last_exception()  # of a model's module
            get_application()  # whose traceback says more than the system check
            super().inner_run(*args, **options)
        finally:
            self.stopped.set()

    def get_handler(self, *args: Any, **options: Any) -> Any:
        """Return the `uvicorn.Server` of the application; `UvicornServer` runs it."""
        app: ASGIApp = get_application()
        serve_static = bool(options.get("use_static_handler")) and (
            settings.DEBUG or options["insecure_serving"]
        )
        if serve_static:
            app = cast("ASGIApp", ASGIStaticFilesHandler(cast("Any", app)))
        config = uvicorn.Config(
            AccessLog(app, serve_static=serve_static),
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        )
        self.server = uvicorn.Server(config)
        return self.server

    def on_bind(self, server_port: int) -> None:
        """Say where the server listens."""
        address = f"[{self.addr}]" if ":" in self.addr else self.addr
        self.stdout.write(
            f"{time.strftime('%B %d, %Y - %X')}\n"
            f"Django version {self.get_version()}, FastAPI version {fastapi.__version__}, "
            f"using settings {settings.SETTINGS_MODULE!r}\n"
            f"Starting ASGI development server at {self.protocol}://{address}:{server_port}/\n"
            f"Quit the server with {'CTRL-BREAK' if sys.platform == 'win32' else 'CONTROL-C'}."
        )
        if os.environ.get("DJANGO_RUNSERVER_HIDE_WARNING") != "true":
            self.stdout.write(
                self.style.WARNING(
                    "WARNING: This is a development server. Do not use it in a production "
                    "setting. Use a production ASGI server instead.\nFor more information on "
                    "production servers see: https://docs.djangoproject.com/en/"
                    f"{get_docs_version()}/howto/deployment/"
                )
            )
