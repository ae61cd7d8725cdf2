"""Names of Django's request handling, signals and translation beyond public API.

* `_handler_class` of a response, which `close()` gives to `request_finished` as the
  sender; Django's own handlers set it. Missing door: a parameter.
* where a `Signal` keeps its receivers. Missing door: a method that lists them.
* `_non_atomic_requests`, which `transaction.non_atomic_requests` leaves on a view.
  Missing door: a public reader.
* `_dont_enforce_csrf_checks`, by which the test client tells `CsrfViewMiddleware` to let a
  request pass. Missing door: a public name for it.
* `trans_real._active`, where the active language is. Missing door: a way to learn whether
  code reads it.
"""

from collections.abc import Callable
from typing import Any
from weakref import ReferenceType

from django.dispatch import Signal
from django.utils.translation import trans_real

__all__ = [
    "active_translation",
    "let_pass_csrf_checks",
    "non_atomic_aliases",
    "passes_csrf_checks",
    "receivers_of",
    "set_handler_class",
]


def non_atomic_aliases(endpoint: Callable[..., Any]) -> set[str]:
    """Return the aliases that `@transaction.non_atomic_requests` exempts `endpoint` from."""
    aliases: set[str] = getattr(endpoint, "_non_atomic_requests", set())
    return aliases


def passes_csrf_checks(request: Any) -> bool:
    """Return whether Django's test client has made the request, and wants no CSRF checks."""
    return bool(getattr(request, "_dont_enforce_csrf_checks", False))


def let_pass_csrf_checks(request: Any) -> None:
    """Have `CsrfViewMiddleware` let the request pass, as the test client has it."""
    request._dont_enforce_csrf_checks = True


def receivers_of(signal: Signal) -> set[Callable[..., Any]]:
    """Return the functions that are connected to `signal`, for whichever sender."""
    found: set[Any] = set()
    for _, receiver, *_ in signal.receivers:
        found.add(receiver() if isinstance(receiver, ReferenceType) else receiver)
    return found


def active_translation() -> Any:
    """Return what has the active translation as its `value`, if any is active."""
    return trans_real._active  # type: ignore[attr-defined]


def set_handler_class(response: Any, handler_class: type) -> None:
    """Have `response.close()` send `request_finished` from `handler_class`."""
    response._handler_class = handler_class
