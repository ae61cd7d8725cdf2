"""An entry of `DATABASES` for a URL."""

from typing import Any

COMMON: dict[str, Any] = {
    "ATOMIC_REQUESTS": True,
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
}


def from_url(url: str) -> dict[str, Any]:
    """The settings of `sqlite:///PATH` or of libpq's `postgres://USER:PASSWORD@HOST:PORT/NAME`."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return sqlite(rest.removeprefix("/"))
    if scheme in {"postgres", "postgresql"}:
        return postgresql(url)
    # Only the scheme: the rest may hold a password.
    raise ValueError(
        f"DATABASE_URL must begin with 'sqlite://' or 'postgres://', not with '{scheme}'."
    )


def sqlite(path: str) -> dict[str, Any]:
    """
    SQLite for a server: a transaction takes its lock at the start, where waiting for it works,
    not in the middle, where it cannot. So atomic requests go one after the other; who reads
    outside of a transaction waits for nobody (WAL).
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        **COMMON,
    }


def postgresql(url: str) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    parameters = {"connect_timeout": 5, **conninfo_to_dict(url)}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parameters.pop("dbname", ""),
        "USER": parameters.pop("user", ""),
        "PASSWORD": parameters.pop("password", ""),
        "HOST": parameters.pop("host", ""),
        "PORT": parameters.pop("port", ""),
        "OPTIONS": parameters,
        **COMMON,
    }
