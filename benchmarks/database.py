"""Which PostgreSQL is measured, and what does it know about a server?

Each peer is a user of the database, so that connections and statements can be told apart.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from benchmarks import rows
from tests import postgres

__all__ = ["Database", "Statements", "postgresql"]

SETTINGS = """
timezone = 'UTC'
autovacuum = off
log_line_prefix = '%u|'
"""

STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)")
QUERY = re.compile(r"(?i)\s*(select|insert|update|delete|with)\b")
RESET = re.compile(r"(?i)select pg_advisory_unlock_all")  # asyncpg: a connection is given back


@dataclass(frozen=True, slots=True)
class Statements:
    """What a request sends to the database."""

    queries: float
    """Those that read or write rows."""
    all: float
    """Those and `BEGIN`, `COMMIT`, `RESET ALL`: each is a round trip."""


@dataclass(frozen=True, slots=True)
class Database:
    """The database, with the rows in it."""

    url: str
    host: str
    log: Path

    def variables(self, user: str) -> dict[str, str]:
        """Return libpq's variables for that user."""
        return {"PGHOST": self.host, "PGDATABASE": rows.DATABASE, "PGUSER": user}

    def version(self) -> str:
        return self.value("SHOW server_version").split()[0]

    def connections(self, user: str) -> int:
        """Return how many connections the user has open."""
        return int(self.value("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", user))

    def forget_writes(self) -> int:
        """Delete the tags that were created, and undo updates; return how many tags there were."""
        with self.connect() as connection:
            deleted = connection.execute("DELETE FROM shop_tag WHERE id > %s", [rows.TAGS])
            connection.execute(
                "UPDATE shop_simulation SET name = 'Simulation ' || substr(id, 8)::int || "
                "' of user ' || user_id WHERE name = 'A new name'"
            )
            connection.execute("VACUUM shop_tag, shop_simulation")
            return deleted.rowcount

    def updated(self) -> int:
        """Return how many simulations have the new name."""
        return int(self.value("SELECT count(*) FROM shop_simulation WHERE name = %s", "A new name"))

    def start_listening(self) -> int:
        """Have every statement logged; return where the log ends now."""
        self.log_statements("all")
        return self.log.stat().st_size

    def stop_listening(
        self, start: int, users: Sequence[str], requests: int
    ) -> dict[str, Statements]:
        """Return what each of the users has sent since `start`, for each of its `requests`."""
        self.log_statements("none")
        with self.log.open("rb") as log:
            log.seek(start)
            lines = log.read().decode(errors="replace").splitlines()
        counted = {}
        for user in users:
            own = [line.removeprefix(f"{user}|") for line in lines if line.startswith(f"{user}|")]
            found = [match[1] for line in own if (match := STATEMENT.match(line))]
            queries = [text for text in found if QUERY.match(text) and not RESET.match(text)]
            counted[user] = Statements(len(queries) / requests, len(found) / requests)
        return counted

    def log_statements(self, which: str) -> None:
        with self.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
            connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.2)  # every backend reads it before its next statement

    def value(self, query: str, *parameters: object) -> str:
        with self.connect() as connection:
            row = connection.execute(query, parameters).fetchone()
        assert row is not None
        return str(row[0])

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(make_conninfo(self.url, dbname=rows.DATABASE), autocommit=True)


@contextmanager
def postgresql(users: Sequence[str]) -> Iterator[Database]:
    """Yield a new database with all rows, and with `users`; it is gone afterwards."""
    with postgres.cluster() as cluster:
        with (cluster.data / "postgresql.conf").open("a") as configuration:
            configuration.write(SETTINGS)
        with cluster.running():
            with psycopg.connect(cluster.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {rows.DATABASE}")
                for user in users:
                    connection.execute(f"CREATE ROLE {user} LOGIN SUPERUSER")
            host = str(conninfo_to_dict(cluster.url)["host"])
            database = Database(cluster.url, host, cluster.data.parent / "log")
            rows.fill(database.variables("postgres"))
            yield database
