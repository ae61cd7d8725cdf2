"""Who is compared, and how is each of them served?"""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["OURS", "PEERS", "ROOT", "Peer"]

ROOT = Path(__file__).parent.parent
FOLDER = Path("benchmarks", "peers")
SHARED = ROOT / FOLDER / "shared"

UVICORN = (
    *("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--loop", "uvloop"),
    *("--http", "httptools", "--no-access-log", "--log-level", "warning"),
)
# A thread that goes has to connect anew when it comes back; nobody is measured connecting.
GRANIAN = (
    *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}"),
    *("--workers", "1", "--blocking-threads", "4", "--blocking-threads-idle-timeout", "600"),
    *("--no-access-log", "--log-level", "warning", "wsgi:application"),
)
BOLT = (
    *("manage.py", "runbolt", "--host", "127.0.0.1", "--port", "{port}", "--processes", "1"),
    *("--no-admin", "--skip-checks"),
)


@dataclass(frozen=True, slots=True)
class Peer:
    """One server: code, environment, command, and the packages whose versions are told."""

    name: str
    title: str
    environment: str
    """The folder below `peers/` with its code and its requirements."""
    command: tuple[str, ...]
    """Arguments of that environment's Python; `{port}` is the port."""
    packages: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    checkout: Path = ROOT
    """Where its code comes from and, if it is ours, the library."""

    @property
    def kind(self) -> tuple[object, ...]:
        """What it has in common with the same peer of another checkout."""
        return self.environment, self.command, self.variables

    @property
    def folder(self) -> Path:
        """Its code: that of its checkout, or this one's where that has none yet."""
        own = self.checkout / FOLDER / self.environment
        return own if own.is_dir() else ROOT / FOLDER / self.environment

    @property
    def installed_in(self) -> str:
        """The name of its environment: another checkout may pin other versions."""
        return self.environment if self.checkout == ROOT else f"{self.environment}-other"

    @property
    def python_path(self) -> list[Path]:
        paths = [self.folder, SHARED]
        return [*paths, self.checkout / "src"] if self.environment == "mullet" else paths


OURS = "mullet_def"
"""The peer that the others are divided by."""

PEERS = [
    Peer(
        OURS,
        "**django-mullet**, `def`",
        "mullet",
        (*UVICORN, "app_def:app"),
        ("django", "fastapi", "pydantic", "uvicorn", "psycopg"),
    ),
    Peer(
        "mullet_async",
        "**django-mullet**, `async def`",
        "mullet",
        (*UVICORN, "app_async:app"),
        ("django", "fastapi", "pydantic", "uvicorn", "psycopg"),
    ),
    Peer(
        "article",
        "the article as written",
        "article",
        (*UVICORN, "app:app"),
        ("django", "fastapi", "uvicorn", "psycopg"),
    ),
    Peer("ninja", "django-ninja", "ninja", GRANIAN, ("django", "django-ninja", "granian")),
    Peer("drf", "Django REST framework", "drf", GRANIAN, ("django", "djangorestframework")),
    Peer(
        "modern_rest",
        "django-modern-rest",
        "modern_rest",
        GRANIAN,
        ("django", "django-modern-rest", "msgspec", "granian"),
    ),
    Peer(
        "bolt_def",
        "django-bolt, `def`",
        "bolt",
        BOLT,
        ("django", "django-bolt"),
        (("BOLT_API", "api_def:api"),),
    ),
    Peer(
        "bolt_async",
        "django-bolt, `async def`",
        "bolt",
        BOLT,
        ("django", "django-bolt"),
        (("BOLT_API", "api_async:api"),),
    ),
    Peer(
        "sqlalchemy",
        "FastAPI + SQLAlchemy async",
        "fastapi_sqlalchemy",
        (*UVICORN, "app:app"),
        ("fastapi", "sqlalchemy", "asyncpg", "uvicorn"),
    ),
    Peer(
        "asyncpg",
        "FastAPI + SQL by hand on asyncpg",
        "fastapi_asyncpg",
        (*UVICORN, "app:app"),
        ("fastapi", "asyncpg", "uvicorn"),
    ),
    Peer(
        "floor",
        "the floor: Starlette + SQL by hand, prepared",
        "floor",
        (*UVICORN, "app:app"),
        ("starlette", "psycopg", "orjson", "uvicorn"),
    ),
]
