"""Which databases does the isolation test use?

Two, each with the same rows: one where row-level security decides who sees which, one where each
tenant has a schema. Its servers connect as a role that is neither superuser nor owner, as for
those there is no row-level security.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from tests.isolation.matrix import ROWS, TENANTS

__all__ = ["ROLE", "databases", "fill_rows", "make_role"]

ROLE = "isolation"

_ROW_LEVEL_SECURITY = """
    ALTER TABLE isolation_row ENABLE ROW LEVEL SECURITY;
    ALTER TABLE isolation_row FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON isolation_row USING (tenant = current_setting('app.tenant', true));
"""

_ACCOUNTS = """
    CREATE TABLE accounts_tenant (id bigserial PRIMARY KEY, schema_name text NOT NULL UNIQUE);
    CREATE TABLE accounts_domain (
        id bigserial PRIMARY KEY,
        domain text NOT NULL UNIQUE,
        tenant_id bigint NOT NULL REFERENCES accounts_tenant,
        is_primary boolean NOT NULL
    );
"""


@contextmanager
def databases(url: str) -> Iterator[dict[bool, str]]:
    """Make both on the server at `url`; yield their own URLs: with schemas, and without."""
    names = {False: "isolation_rows", True: "isolation_schemas"}
    with psycopg.connect(url, autocommit=True) as connection:
        _drop(connection, names.values())
        make_role(connection)
        try:
            for name in names.values():
                connection.execute(f"CREATE DATABASE {name}")
            fill_rows(make_conninfo(url, dbname=names[False]))
            _fill_schemas(make_conninfo(url, dbname=names[True]))
            yield {
                schemas: make_conninfo(url, dbname=name, user=ROLE, password=ROLE)
                for schemas, name in names.items()
            }
        finally:
            _drop(connection, names.values())


def _drop(connection: psycopg.Connection, names: Iterable[str]) -> None:
    for name in names:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    connection.execute(f"DROP ROLE IF EXISTS {ROLE}")


def make_role(connection: psycopg.Connection) -> None:
    """Make the role that servers connect as."""
    connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'")


def fill_rows(url: str) -> None:
    """Make the table with row-level security in the database at `url`, and fill it."""
    with psycopg.connect(url) as connection:
        _make_table(connection, "public")
        for tenant in TENANTS:
            _fill(connection, "public", tenant)
        connection.execute(_ROW_LEVEL_SECURITY)
        _grant(connection, "public")


def _fill_schemas(url: str) -> None:
    with psycopg.connect(url) as connection:
        _make_table(connection, "public")  # empty: what is seen where nobody has set a tenant
        connection.execute(_ACCOUNTS)
        _grant(connection, "public")
        for tenant in TENANTS:
            connection.execute(f"CREATE SCHEMA {tenant}")
            _make_table(connection, tenant)
            _fill(connection, tenant, tenant)
            _grant(connection, tenant)
            [[key]] = connection.execute(
                "INSERT INTO accounts_tenant (schema_name) VALUES (%s) RETURNING id", [tenant]
            )
            connection.execute(
                "INSERT INTO accounts_domain (domain, tenant_id, is_primary) VALUES (%s, %s, true)",
                [f"{tenant}.localhost", key],
            )


def _make_table(connection: psycopg.Connection, schema: str) -> None:
    connection.execute(
        f"CREATE TABLE {schema}.isolation_row (id bigserial PRIMARY KEY, tenant text NOT NULL)"
    )


def _fill(connection: psycopg.Connection, schema: str, tenant: str) -> None:
    connection.execute(
        f"INSERT INTO {schema}.isolation_row (tenant) SELECT %s FROM generate_series(1, {ROWS})",
        [tenant],
    )


def _grant(connection: psycopg.Connection, schema: str) -> None:
    connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}")
    connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {ROLE}")
