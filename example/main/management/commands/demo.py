import errno
import signal
import socket

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from main.demo import ADMIN_USERNAME, Credentials, create_data

HOST = "127.0.0.1"

BANNER = """\
Docs:     {url}/api/docs
Admin:    {url}/admin/
Login:    {username}
Password: {password}
API key: {api_key}

Try it:   curl -H 'X-API-Key: {api_key}' {url}/api/simulation/
Stop it:  Ctrl-C
"""


class Command(BaseCommand):
    help = "Migrates the database, creates demo data and serves the project."
    requires_system_checks = []  # migrate runs them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("port", type=int, help="0 means any free port.")

    def handle(self, *, port: int, **_options: object) -> None:
        # Stopping it is no error, however it is asked to.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with listen(port) as listener:
                self.serve(listener)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def serve(self, listener: socket.socket) -> None:
        call_command("migrate", verbosity=0, stdout=self.stdout)
        credentials = Credentials.load_or_create(settings.CREDENTIALS_FILE)
        create_data(credentials)
        connections.close_all()

        config = uvicorn.Config("goatfish.asgi:app")
        config.load()
        banner = BANNER.format(
            url=f"http://{HOST}:{listener.getsockname()[1]}",
            username=ADMIN_USERNAME,
            password=credentials.admin_password,
            api_key=credentials.api_key,
        )
        self.stdout.write(banner)
        self.stdout.flush()
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            raise CommandError("The server did not start.")


def listen(port: int) -> socket.socket:
    """A socket that already listens: a request that comes early waits for the server."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OverflowError:
        listener.close()
        raise CommandError(f"{port} is no port: it must be 0 to 65535.") from None
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise CommandError(f"Cannot listen on {HOST}:{port}: {error.strerror}.") from None
        raise CommandError(
            f"Port {port} is taken. Stop what listens there, or choose another port: "
            f"PORT={port + 1}."
        ) from None
    return listener
