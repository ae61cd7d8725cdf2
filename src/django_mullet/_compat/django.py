"""Names of Django beyond public API: of its requests, signals, translation and commands."""

from collections.abc import Callable
from typing import Any
from weakref import ReferenceType

from django.dispatch import Signal
from django.utils.translation import trans_real

from django_mullet._compat.names import Name, require

__all__ = [
    "RELIED_ON",
    "active_translation",
    "let_pass_csrf_checks",
    "non_atomic_aliases",
    "passes_csrf_checks",
    "receivers_of",
    "set_handler_class",
]

RELIED_ON = (
    Name(
        "django.http.response.HttpResponseBase._handler_class",
        "`close()` sends `request_finished` from it; Django's own handlers set it.",
        "a parameter of `close()`",
        used_in="django.http.response.HttpResponseBase.close",
    ),
    Name(
        "django.dispatch.Signal.receivers",
        "A signal with Django's receivers alone is not sent: what they do is done.",
        "a method that lists the receivers",
        used_in="django.dispatch.dispatcher.Signal.__init__",
    ),
    Name(
        "django.db.transaction._non_atomic_requests",
        "`transaction.non_atomic_requests` leaves it on a view, and so on an endpoint.",
        "a public reader",
    ),
    Name(
        "django.http.HttpRequest._dont_enforce_csrf_checks",
        "The test client tells `CsrfViewMiddleware` by it to let a request pass.",
        "a public name for it",
        used_in="django.middleware.csrf.CsrfViewMiddleware.process_view",
    ),
    Name(
        "django.utils.translation.trans_real._active",
        "It tells whether a prepared function reads the active language.",
        "a way to learn whether code reads it",
    ),
    *(
        Name(
            f"django.core.handlers.{path}",
            "Django's requests are answered in one hop to a worker, their middleware included.",
            "an ASGI handler of which the middleware chain is synchronous",
        )
        for path in (
            "asgi.ASGIHandler.create_request",
            "asgi.ASGIHandler.listen_for_disconnect",
            "asgi.ASGIHandler.read_body",
            "asgi.ASGIHandler.send_response",
            "asgi.get_script_prefix",
            "base.BaseHandler.get_response_async",
            "base.BaseHandler.load_middleware",
            "base.reset_urlconf",
            "exception.convert_exception_to_response",
            "exception.response_for_exception",
        )
    ),
)

require(RELIED_ON)


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
