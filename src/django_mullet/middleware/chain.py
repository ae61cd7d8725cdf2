"""Django's middleware chain around FastAPI routes.

As a chain of coroutines, one around the other, which are driven by the request's worker: a
`def` endpoint and all that is around it run in one hop. Around an `async def` endpoint the
chain moves to the event loop for the endpoint, and back. Only middleware that is a plain
function stands on a worker's stack meanwhile, and keeps it.
"""

from collections.abc import Awaitable, Callable, Sequence
from inspect import isclass, iscoroutinefunction
from typing import Any

from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.middleware.common import CommonMiddleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from django_mullet.execution.handoff import await_from_sync, in_worker, to_loop, to_worker
from django_mullet.middleware.call import MiddlewareCall

__all__ = ["Chain"]

Layer = Callable[[Any], Awaitable[Any]]


class Chain:
    """The middleware of a list, ready to be called.

    With `on_loop`, middleware that can be asynchronous is, because the route is. Raises
    `ImportError` or `ImproperlyConfigured` if the list is wrong.
    """

    def __init__(self, paths: Sequence[str], *, on_loop: bool) -> None:
        self.uses_loop = False
        """Some middleware runs on the event loop."""
        self._on_loop = on_loop
        self._process_view: list[Any] = []
        self._process_exception: list[Any] = []
        layer: Layer = self._view
        for path in reversed(paths):
            layer = self._layer(path, layer)
        self.outermost = layer

    def _layer(self, path: str, inner: Layer) -> Layer:
        factory = import_string(path)
        is_async = self._is_async(path, factory)
        try:
            instance = factory(_awaited(inner) if is_async else _called(inner))
        except MiddlewareNotUsed:
            return inner
        if instance is None:
            raise ImproperlyConfigured(f"Middleware factory '{path}' returned None.")
        if isinstance(instance, CommonMiddleware):
            # The path is that of a FastAPI route: no other of Django's, with a slash, is meant.
            instance.should_redirect_with_slash = _never  # type: ignore[method-assign]
        if process_view := getattr(instance, "process_view", None):
            self._process_view.insert(0, process_view)
        if process_exception := getattr(instance, "process_exception", None):
            self._process_exception.append(process_exception)
        if is_async:
            self.uses_loop = True
            return _asynchronous(instance)
        return _in_phases(instance, inner) if _has_phases(instance) else _synchronous(instance)

    def _is_async(self, path: str, factory: Any) -> bool:
        can_sync = getattr(factory, "sync_capable", True)
        can_async = getattr(factory, "async_capable", False)
        if not can_sync and not can_async:
            raise ImproperlyConfigured(
                f"Middleware '{path}' must have at least one of sync_capable and async_capable "
                "set to True."
            )
        # One with a part before and a part after need not be asynchronous.
        is_mixin = isclass(factory) and issubclass(factory, MiddlewareMixin)
        return not can_sync or (can_async and self._on_loop and not is_mixin)

    async def _view(self, request: Any) -> Any:
        """Call what stands inside of all middleware: its hooks, and FastAPI's route."""
        call: MiddlewareCall = request.call
        try:
            for process_view in self._process_view:
                response = await _run(process_view, request, call.endpoint, (), call.path_params)
                if response:
                    return await _rendered(response)
        except Exception as error:
            return await call.answer(error, request)
        try:
            return await call.respond(request)
        except Exception as error:
            for process_exception in self._process_exception:
                response = await _run(process_exception, request, error)
                if response:
                    return await _rendered(response)
            return call.fail(error)


def _never(request: Any) -> bool:
    return False


def _awaited(inner: Layer) -> Layer:
    async def get_response(request: Any) -> Any:
        response = await inner(request)
        await to_loop()
        return response

    return get_response


def _called(inner: Layer) -> Callable[[Any], Any]:
    def get_response(request: Any) -> Any:
        return await_from_sync(inner(request))  # type: ignore[arg-type]

    return get_response


def _has_phases(instance: Any) -> bool:
    cls = type(instance)
    return isinstance(instance, MiddlewareMixin) and cls.__call__ is MiddlewareMixin.__call__


def _in_phases(instance: Any, inner: Layer) -> Layer:
    """Return what does the same as calling `instance`, without being on the stack meanwhile."""
    process_request = getattr(instance, "process_request", None)
    process_response = getattr(instance, "process_response", None)

    async def layer(request: Any) -> Any:
        try:
            response = None
            if process_request is not None:
                if not in_worker():
                    await to_worker()
                response = process_request(request)
            response = response or await inner(request)
            if process_response is not None:
                if not in_worker():
                    await to_worker()
                response = process_response(request, response)
        except Exception as error:
            return await request.call.answer(error, request)
        return response

    return layer


def _synchronous(instance: Any) -> Layer:
    async def layer(request: Any) -> Any:
        try:
            await to_worker()
            return instance(request)
        except Exception as error:
            return await request.call.answer(error, request)

    return layer


def _asynchronous(instance: Any) -> Layer:
    async def layer(request: Any) -> Any:
        try:
            await to_loop()
            return await instance(request)
        except Exception as error:
            return await request.call.answer(error, request)

    return layer


async def _run(function: Callable[..., Any], *args: Any) -> Any:
    """Return what `function` returns in the worker, or on the event loop if it is `async`."""
    if iscoroutinefunction(function):
        await to_loop()
        return await function(*args)
    await to_worker()
    return function(*args)


async def _rendered(response: Any) -> Any:
    if callable(getattr(response, "render", None)):
        await to_worker()
        return response.render()
    return response
