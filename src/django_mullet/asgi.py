"""One ASGI application of two: FastAPI's routes first, and Django for every other path.

FastAPI answers what it has a route for, in every way it does: 405, a redirect to the path with
the slash, WebSockets, lifespan. `mount_django(app)` gives everything else to Django: the admin,
static files while developing, every other view, and Django's 404. Only below a path that FastAPI
owns, as `/api`, does FastAPI answer 404, unless Django has a view there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import Resolver404, resolve
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from django_mullet.django_handler import DjangoHandler, first_segment
from django_mullet.error_handling import handlers
from django_mullet.execution.workers import pool
from django_mullet.openapi.components import install_component_names
from django_mullet.routing.redirects import RelativeRedirects
from django_mullet.urls import is_api_view

__all__ = ["is_mounted", "mount_django"]


def mount_django(app: FastAPI) -> None:
    """Have `app` serve the Django project where it has no route of its own.

    Call it once, after `django.setup()`. Also answers 422, and not 500, to input that FastAPI's
    own answer cannot repeat (see `error_handling.handlers`), and ends the worker threads, which
    closes their connections, when the server shuts down. Raises `ImproperlyConfigured` if Django is
    not set up, lacks `django_mullet` in its `INSTALLED_APPS`, or is mounted already.
    """
    if not isinstance(app, FastAPI):
        raise TypeError(f"mount_django() takes a FastAPI instance, not a '{type(app).__name__}'.")
    if not apps.ready:
        raise ImproperlyConfigured(
            "Django is not set up: call 'django.setup()' before 'mount_django(app)' and before "
            "you import models."
        )
    if not apps.is_installed("django_mullet"):
        raise ImproperlyConfigured(
            "mount_django() needs 'django_mullet' in INSTALLED_APPS, before "
            "'django.contrib.staticfiles'."
        )
    if is_mounted(app):
        raise ImproperlyConfigured("Django is mounted already: call 'mount_django(app)' once.")
    handlers.install_exception_handlers(app)
    install_component_names(app)
    app.router.middleware_stack = RelativeRedirects(app.router.middleware_stack)
    app.router.default = _Fallback(app, otherwise=app.router.default)
    app.router.lifespan_context = _ending_workers(app.router.lifespan_context)


def is_mounted(app: FastAPI) -> bool:
    """Return whether `mount_django(app)` was called."""
    return isinstance(app.router.default, _Fallback)


def _ending_workers(lifespan_context: Any) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        try:
            async with lifespan_context(app) as state:
                yield state
        finally:
            await asyncio.to_thread(pool.stop)

    return lifespan


class _Fallback:
    """What the router of `app` calls when no route matches."""

    def __init__(self, app: FastAPI, otherwise: ASGIApp) -> None:
        self._app = app
        self._otherwise = otherwise
        self._django = DjangoHandler()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_for_django(scope):
            await self._handler()(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)

    def _is_for_django(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        return (
            first_segment(path) not in self._owned_segments()
            or _has_django_view(path)
            or _is_redirected(path)
        )

    def _owned_segments(self) -> set[str]:
        paths = (context.path or "" for context in iter_route_contexts(self._app.routes))
        return {first_segment(path) for path in paths} - {""}

    def _handler(self) -> "DjangoHandler":
        if self._django.middleware != settings.MIDDLEWARE:  # overridden in a test
            self._django = DjangoHandler()
        return self._django


def _has_django_view(path: str) -> bool:
    try:
        return not is_api_view(resolve(path).func)
    except Resolver404:
        return False


def _is_redirected(path: str) -> bool:
    """Return whether `CommonMiddleware` may redirect to the view of `path` with a slash."""
    return settings.APPEND_SLASH and not path.endswith("/") and _has_django_view(f"{path}/")
