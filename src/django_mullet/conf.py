"""The settings in `settings.MULLET`, read at call time so that `override_settings` works."""

from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver

__all__ = ["Settings", "current", "parse"]


LAZY_LOADS = ("raise", "warn", "allow")


@dataclass(frozen=True, slots=True)
class Settings:
    """The keys of `settings.MULLET`, in lower case, with their defaults."""

    threads: int = 40
    """The most worker threads of one process, counting those stuck in a slow call.

    Those that wait for the next call of their request come on top, at most `connections`.
    """

    connections: int = 20
    """The most connections that the workers of one process open per database alias."""

    lasting: int | None = None
    """The most of those that streams and WebSockets hold, and background tasks; by default half."""

    stream_buffer: int = 2**18
    """Bytes that the synchronous body of a stream is made ahead of its client."""

    queue: int = 2000
    """How many requests may wait for a worker; one more is answered 503."""

    connection_timeout: float = 30.0
    """Seconds that a request waits for a free connection before it is answered 503."""

    lazy_loads: str = "raise"
    """What a query is that showing many objects makes for each: "raise", "warn" or "allow"."""

    retry_after: int = 5
    """Seconds in the `Retry-After` header of a 503."""

    rollback_on_error_response: bool = False
    """Whether a *returned* response of 400 or more rolls `ATOMIC_REQUESTS` back."""

    refuse_read_only: bool = False
    """Whether a read-only field in a request is a 422, rather than ignored."""

    verify_prepared: float = 0.0
    """Share of the calls of prepared queries that are verified; in DEBUG and in tests all are."""

    problem_details: bool = False
    """Whether errors are written as `application/problem+json` (RFC 9457)."""


_NAMES = {field.name.upper(): field.name for field in fields(Settings)}
_DEFAULTS = {field.name.upper(): field.default for field in fields(Settings)}
_current: Settings | None = None


def current() -> Settings:
    """Return the settings now in force; raise `ImproperlyConfigured` when they are wrong."""
    global _current
    if _current is None:
        _current = parse(getattr(django_settings, "MULLET", {}))
    return _current


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    global _current
    if setting == "MULLET":
        _current = None


def parse(values: Any) -> Settings:
    """Return `values`, a `MULLET` dict, as `Settings`; raise `ImproperlyConfigured`."""
    if not isinstance(values, dict):
        raise ImproperlyConfigured("MULLET must be a dict, for example MULLET = {'THREADS': 40}.")
    parsed: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _NAMES:
            close = get_close_matches(str(key).upper(), _NAMES, n=1)
            known = f"Write '{close[0]}'" if close else f"It knows: {', '.join(sorted(_NAMES))}"
            raise ImproperlyConfigured(f"MULLET has no setting {key!r}. {known}.")
        parsed[_NAMES[key]] = _checked(key, value)
    settings = Settings(**parsed)
    if settings.lasting is not None and settings.lasting > settings.connections:
        raise ImproperlyConfigured(
            f"MULLET['LASTING'] is {settings.lasting}, more than MULLET['CONNECTIONS'] lets be "
            f"open: {settings.connections}. Write a lower number, so that some are left for others."
        )
    return settings


def _checked(key: str, value: Any) -> Any:
    if isinstance(_DEFAULTS[key], bool):
        if not isinstance(value, bool):
            raise ImproperlyConfigured(f"MULLET[{key!r}] must be True or False, not {value!r}.")
        return value
    if key == "LAZY_LOADS":
        if value not in LAZY_LOADS:
            known = ", ".join(f"'{choice}'" for choice in LAZY_LOADS)
            raise ImproperlyConfigured(f"MULLET[{key!r}] must be one of {known}, not {value!r}.")
        return value
    if key == "LASTING" and value is None:
        return value
    if key == "VERIFY_PREPARED":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ImproperlyConfigured(f"MULLET[{key!r}] must be from 0 to 1, not {value!r}.")
        return value
    kinds = (int, float) if key == "CONNECTION_TIMEOUT" else (int,)
    if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
        raise ImproperlyConfigured(f"MULLET[{key!r}] must be a number above 0, not {value!r}.")
    return value
