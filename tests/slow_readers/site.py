"""Which server is read from slowly, and on which database?"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from tests import postgres
from tests.server import ROOT, Server, running
from tests.settings import database
from tests.slow_readers.bars import CONNECTIONS
from tests.slow_readers.scenarios import SIZE
from tests.slow_readers.watch import APPLICATION

__all__ = ["Site", "new_site"]

NAME = "mullet_slow_readers"


@dataclass(frozen=True, slots=True)
class Site:
    """A database with rows, and a folder with the large file."""

    url: str
    files: Path

    def serving(self) -> AbstractContextManager[Server]:
        """Keep a new server alive for the length of the block."""
        return running(
            "tests.slow_readers.app:app",
            databases=self._databases(),
            mullet={"CONNECTIONS": CONNECTIONS},
            variables=self._variables(),
        )

    def fill(self) -> str:
        """Make tables and rows; return the cookie of a session that may see the admin."""
        environment = {
            **os.environ,
            **self._variables(),
            "SERVER_APPLICATION": "tests.slow_readers.app:app",
            "SERVER_DATABASES": json.dumps(self._databases()),
            "SERVER_MULLET": "{}",
        }
        command = [sys.executable, "-m", "tests.slow_readers.rows"]
        key = subprocess.check_output(command, env=environment, cwd=ROOT, text=True)
        return f"sessionid={key.strip()}"

    def _databases(self) -> dict[str, dict[str, Any]]:
        options = {"application_name": APPLICATION}
        return {"default": database(self.url, "unused") | {"OPTIONS": options}}

    def _variables(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "tests.slow_readers.settings",
            "SLOW_READERS_FILES": str(self.files),
        }


@contextmanager
def new_site() -> Iterator[Site]:
    """Yield a site with an empty database; both are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="slow-readers-") as files,
        postgres.server() as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        with Path(files, "large.bin").open("wb") as file:
            file.truncate(SIZE)
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
        try:
            yield Site(make_conninfo(url, dbname=NAME), Path(files))
        finally:
            connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
