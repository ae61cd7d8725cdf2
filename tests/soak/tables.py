"""What is in the database of the soak test, apart from what migrations make?"""

import psycopg

from tests.isolation.data import ROLE, fill_rows, make_role

__all__ = ["COUNTED", "COUNTERS", "TAKEN", "make_tables"]

COUNTERS = 3
"""Rows that requests count up, each for one transaction at a time."""

COUNTED = "SELECT sum(n) FROM soak_counter"
"""How often that was committed."""

TAKEN = "taken"
"""The name of an author, so that no other can have it."""

_TABLES = f"""
    CREATE INDEX ON testapp_item (name);
    CREATE TABLE soak_counter (id int PRIMARY KEY, n int NOT NULL);
    INSERT INTO soak_counter SELECT id, 0 FROM generate_series(0, {COUNTERS - 1}) AS id;
    INSERT INTO testapp_author (name) VALUES ('{TAKEN}');
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
"""


def make_tables(url: str) -> None:
    """Make the rest, and the role that the server connects as: it sees its tenant's rows alone."""
    with psycopg.connect(url) as connection:
        make_role(connection)
    fill_rows(url)
    with psycopg.connect(url) as connection:
        connection.execute(_TABLES)
