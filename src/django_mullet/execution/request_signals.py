"""`request_started` and `request_finished`, sent in the request's worker.

Django's own handlers send them too. While only Django's own receivers are connected, what those do
is done directly, which costs a small part of sending.
"""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.cache import caches, close_caches
from django.core.cache.backends.base import BaseCache
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started, setting_changed
from django.db import close_old_connections, reset_queries
from django.dispatch import Signal, receiver
from django.utils.module_loading import import_string

from django_mullet._compat.django import receivers_of
from django_mullet.execution import connections

__all__ = ["begin", "end", "log_errors"]

logger = logging.getLogger("django.request")


def begin(sender: type, scope: Any) -> None:
    """Send `request_started`."""
    if _to_started.is_expected():
        connections.reset_queries()
        connections.close_old()
    else:
        request_started.send(sender=sender, scope=scope)


def end(sender: type) -> None:
    """Send `request_finished`. What a receiver raises is logged, and the others are called."""
    if _to_finished.is_expected():
        if _caches_close():
            log_errors(close_caches)
        connections.close_old()
        reset_urlconf(sender)
    else:
        request_finished.send_robust(sender=sender)


def log_errors(function: Callable[[], object]) -> None:
    """Call what runs at the end of a request, and log what it raises.

    The answer is made, and what was written is committed: it must not become an error any more.
    Under Django's own handlers the answer has been sent by then.
    """
    try:
        function()
    except Exception:
        logger.exception("Error at the end of a request; its answer stays the same.")


@cache
def _caches_close() -> bool:
    """Return whether closing a cache may do something: most backends have nothing to close."""
    try:
        backends = [import_string(each["BACKEND"]) for each in caches.settings.values()]
    except ImportError:
        return True  # Django reports it to whoever uses the cache
    return any(backend.close is not BaseCache.close for backend in backends)


@receiver(setting_changed)
def _look_again(**kwargs: Any) -> None:
    _caches_close.cache_clear()


class _Receivers:
    """Whether the receivers of `signal` are exactly the `expected` ones."""

    def __init__(self, signal: Signal, *expected: Callable[..., Any]) -> None:
        self._signal = signal
        self._expected = set(expected)
        self._seen: list[Any] = []
        self._is_expected = False

    def is_expected(self) -> bool:
        if self._seen != self._signal.receivers:
            self._seen = list(self._signal.receivers)
            self._is_expected = receivers_of(self._signal) == self._expected
        return self._is_expected


_to_started = _Receivers(request_started, reset_queries, close_old_connections)
_to_finished = _Receivers(request_finished, close_caches, close_old_connections, reset_urlconf)
