"""FastAPI's dependency tree, adapted so that each callable runs where Django needs it.

FastAPI sends each synchronous callable of a route through a thread hop of its own. `adapt`
makes of each an `async` one, which FastAPI awaits without a hop, and which runs in the
worker of the request's `Execution`: at once where the worker drives the handler already,
else by a hop there and back. An `async` callable goes on in the event loop.
"""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal, cast

from anyio import CancelScope
from asgiref.sync import iscoroutinefunction
from django.db import InterfaceError, OperationalError
from fastapi import params
from fastapi.dependencies.models import Dependant

from django_mullet._compat.fastapi import changed_dependant, function_stack, request_stack
from django_mullet.callables import in_file_of
from django_mullet.dependencies.call_arguments import OF_BODIES, note
from django_mullet.execution import connections
from django_mullet.execution.execution import current_execution
from django_mullet.execution.handoff import in_worker, to_loop, to_worker
from django_mullet.execution.worker_lease import Reason
from django_mullet.results.presenting import Present, holds_models
from django_mullet.streaming.generators import closed, closed_events, pulled

__all__ = [
    "Kind",
    "Traits",
    "adapt",
    "adapt_endpoint",
    "adapted_dependencies",
    "adapted_tree",
    "below",
    "is_limited",
    "kind",
    "never_waits",
    "original",
    "scope_of",
    "traits",
]

Endpoint = Callable[..., Any]
Scope = Literal["function", "request"] | None
IsConcerned = Callable[[Any], bool]
"""Whether a result has to go through what presents it."""


class Kind(Enum):
    """What calling a callable gives."""

    SYNC = auto()
    GENERATOR = auto()
    ASYNC = auto()
    ASYNC_GENERATOR = auto()


def kind(call: Endpoint) -> Kind:
    """Return the kind of `call`, by FastAPI's rules for partials, wrappers and classes."""
    bare: Any = _without_partial(call)
    unwrapped: Any = inspect.unwrap(bare)
    candidates = [bare, unwrapped]
    if not inspect.isclass(unwrapped):
        for instance in (bare, unwrapped):
            method = _without_partial(instance.__call__)
            candidates += [method, inspect.unwrap(method)]
    for test, found in (
        (inspect.isasyncgenfunction, Kind.ASYNC_GENERATOR),
        (inspect.isgeneratorfunction, Kind.GENERATOR),
        (_is_coroutine_function, Kind.ASYNC),
    ):
        if any(test(candidate) for candidate in candidates):
            return found
    return Kind.SYNC


def _is_coroutine_function(call: Endpoint) -> bool:
    return inspect.isroutine(call) and iscoroutinefunction(call)


def _without_partial(call: Endpoint) -> Endpoint:
    while isinstance(call, functools.partial):
        call = call.func
    return call


@dataclass(frozen=True, slots=True)
class Traits:
    """What a route's callables ask of the way it is run."""

    endpoint: Kind
    generators: bool
    """Some dependency is a generator, to be left in the worker that entered it."""
    request_scope: bool
    """Some dependency exits after the response is sent."""
    function_scope: bool
    """Some dependency exits before the response is sent."""
    awaits: bool
    """Some dependency is a coroutine function."""
    needs_loop: bool
    """FastAPI itself awaits something on the way: a form, a semaphore, an async generator."""
    reads_body: bool


def traits(dependant: Dependant) -> Traits:
    """Return what the callables of `dependant`, a route's, ask of the way it is run."""
    subs = list(below(dependant))
    kinds = [kind(_call(sub)) for sub in subs]
    bodies = [field for sub in (dependant, *subs) for field in sub.body_params]
    endpoint = kind(_call(dependant))
    return Traits(
        endpoint=endpoint,
        generators=Kind.GENERATOR in kinds,
        request_scope=any(
            found in (Kind.GENERATOR, Kind.ASYNC_GENERATOR) and sub.scope != "function"
            for sub, found in zip(subs, kinds, strict=True)
        ),
        function_scope=any(sub.scope == "function" for sub in subs),
        awaits=any(
            found is Kind.ASYNC and not never_waits(_call(sub))
            for sub, found in zip(subs, kinds, strict=True)
        ),
        needs_loop=endpoint is not Kind.SYNC
        or Kind.ASYNC_GENERATOR in kinds
        or any(is_limited(sub) for sub in subs)
        or any(isinstance(field.field_info, params.Form) for field in bodies),
        reads_body=bool(bodies),
    )


def below(dependant: Dependant) -> Iterator[Dependant]:
    """Yield what `dependant` depends on, at any depth."""
    for sub in dependant.dependencies:
        yield sub
        yield from below(sub)


def _call(dependant: Dependant) -> Endpoint:
    assert dependant.call is not None
    return dependant.call


def is_limited(dependant: Dependant) -> bool:
    """Return whether FastAPI lets but some requests at a time into the dependency."""
    return getattr(dependant, "concurrency", None) is not None  # since FastAPI 0.16x


def never_waits(call: Endpoint) -> bool:
    """FastAPI's security classes are `async` only in name; ours say so themselves."""
    return type(call).__module__.startswith("fastapi.security.") or hasattr(call, "never_waits")


def adapted_tree(
    dependant: Dependant,
    *,
    present: Present | None = None,
    is_concerned: IsConcerned = holds_models,
    is_event_stream: bool = False,
) -> Dependant:
    """Return a copy of `dependant`, a route's effective one, with its callables adapted."""
    tree = adapted_dependencies(dependant)
    takes_body = any(sub.body_params for sub in (dependant, *below(dependant)))
    tree.call = adapt_endpoint(
        _call(dependant),
        present,
        is_concerned,
        is_event_stream=is_event_stream,
        takes_body=takes_body,
    )
    return tree


def adapted_dependencies(dependant: Dependant) -> Dependant:
    """Return a copy of `dependant`, a route's, with the callables that it depends on adapted."""
    subs = [_adapted_sub(sub) for sub in dependant.dependencies]
    return changed_dependant(dependant, dependencies=subs)


def _adapted_sub(dependant: Dependant) -> Dependant:
    sub = adapted_dependencies(dependant)
    sub.scope = scope_of(_call(dependant), dependant.scope)
    sub.call = adapt(_call(dependant), sub.scope, limited=is_limited(dependant))
    return sub


def scope_of(call: Endpoint, scope: Scope) -> Scope:
    """Return the scope by which FastAPI recognises a shared dependency."""
    if scope is None and kind(call) in (Kind.GENERATOR, Kind.ASYNC_GENERATOR):
        return "request"
    return scope


def adapt_endpoint(
    endpoint: Endpoint,
    present: Present | None = None,
    is_concerned: IsConcerned = holds_models,
    *,
    is_event_stream: bool = False,
    takes_body: bool = False,
) -> Endpoint:
    """Return `endpoint` so that it, and what FastAPI makes of its result, runs in the worker.

    The result of a function is to be awaited; it has gone through `present`, of a coroutine
    function if it `is_concerned`, as the items of a generator have. These are pulled in a worker by
    `streaming`, but for those of an event stream, which FastAPI wants to pull itself. Every
    generator is closed within its request.
    """
    found = kind(endpoint)
    if found is Kind.SYNC:
        return _presented_as(endpoint, _last_function(endpoint, present or _unchanged))
    if found is Kind.ASYNC and (takes_body or present is not None):
        return _presented_as(endpoint, _coroutine(endpoint, present, is_concerned))
    if found in (Kind.GENERATOR, Kind.ASYNC_GENERATOR):
        if is_event_stream:
            events = pulled(endpoint) if found is Kind.GENERATOR else endpoint
            return _presented_as(endpoint, closed_events(events, present or _unchanged))
        return _presented_as(endpoint, closed(endpoint, present))
    return endpoint


def _unchanged(result: Any) -> Any:
    return result


def _last_function(endpoint: Endpoint, present: Present) -> Endpoint:
    return in_file_of(endpoint, lambda **values: _call_in_worker(endpoint, present, **values))


async def _call_in_worker(endpoint: Endpoint, present: Present, /, **values: Any) -> Any:
    if not in_worker():
        await to_worker()
    try:
        return present(endpoint(**values))
    except OF_BODIES as error:
        note(error, values)
        raise


def _coroutine(endpoint: Endpoint, present: Present | None, is_concerned: IsConcerned) -> Endpoint:
    return in_file_of(
        endpoint, lambda **values: _call_on_loop(endpoint, present, is_concerned, **values)
    )


async def _call_on_loop(
    endpoint: Endpoint, present: Present | None, is_concerned: IsConcerned, /, **values: Any
) -> Any:
    try:
        result = await endpoint(**values)
        if present is not None and is_concerned(result):
            return await _in_worker(functools.partial(present, result))
        return result
    except OF_BODIES as error:
        note(error, values)
        raise


def _presented_as(call: Endpoint, adapted: Any) -> Endpoint:
    """Return `adapted` with the name of `call`, of which it is made."""
    adapted.__name__ = getattr(call, "__name__", type(call).__name__)
    adapted.__qualname__ = getattr(call, "__qualname__", type(call).__qualname__)
    adapted.__module__ = getattr(call, "__module__", type(call).__module__)
    adapted.__doc__ = call.__doc__
    adapted.adapted_from = call
    return cast(Endpoint, adapted)


@functools.lru_cache(maxsize=4096)
def adapt(call: Endpoint, scope: Scope = None, *, limited: bool = False) -> Endpoint:
    """Return `call`, a dependency, so that it runs in the worker of the request.

    `scope` is that of its `Depends`; `limited` says that FastAPI holds a semaphore for
    it. Equal arguments give the same callable, because FastAPI recognises by it a
    dependency that several others share.
    """
    found = kind(call)
    if found is Kind.ASYNC and never_waits(call):
        return call
    adapted: Any
    if found is Kind.GENERATOR:
        adapted = _managed(call) if limited else _entered(call, scope)
    else:
        adapted = _ADAPTERS[found](call)
        adapted.__wrapped__ = call  # by which FastAPI knows a security scheme
    adapted.scope = scope
    adapted.limited = limited
    return _presented_as(call, adapted)


async def _in_worker(function: Callable[[], Any]) -> Any:
    if in_worker():
        return function()
    return await current_execution.get().run(function)


async def _leave_in_worker(leave: Callable[[], Any]) -> Any:
    """Return what `leave` returns; as in FastAPI, no cancellation stops the exit of a generator."""
    if in_worker():
        return leave()
    with CancelScope(shield=True):
        return await current_execution.get().run(leave)


def _function(call: Endpoint) -> Endpoint:
    async def adapted(**values: Any) -> Any:
        try:
            if in_worker():
                return call(**values)
            return await current_execution.get().run(functools.partial(call, **values))
        except OF_BODIES as error:
            note(error, values)
            raise

    return adapted


def _coroutine_function(call: Endpoint) -> Endpoint:
    async def adapted(**values: Any) -> Any:
        moves = in_worker()
        if moves:
            await to_loop()
        try:
            return await call(**values)
        except OF_BODIES as error:
            note(error, values)
            raise
        finally:
            if moves:
                await to_worker()

    return adapted


class _Managed:
    """A generator that is left in the worker that entered it."""

    __slots__ = ("_execution", "_manager", "_values", "is_entered")

    def __init__(self, call: Endpoint, values: dict[str, Any]) -> None:
        self._execution = current_execution.get()
        self._manager = contextmanager(call)(**values)
        self._values = values
        self.is_entered = False

    def enter(self) -> Any:
        try:
            value = self._manager.__enter__()
        except OF_BODIES as error:
            note(error, self._values)
            raise
        self._execution.lease.keep(Reason.DEPENDENCY)
        self.is_entered = True
        return value

    def leave(self, *exc_info: Any) -> Any:
        try:
            return self._manager.__exit__(*exc_info)
        except (OperationalError, InterfaceError):
            if not self._is_told_by(exc_info[1]):
                raise
            return False
        finally:
            self._execution.lease.release(Reason.DEPENDENCY)

    def _is_told_by(self, error: BaseException | None) -> bool:
        """Return whether `error` says already that the database, or a connection, is not there."""
        is_refusal = getattr(error, "status_code", None) == 503
        is_lost = self._execution.connection_lost or (is_refusal and connections.lost_connection())
        return error is not None and is_lost


def _entered(call: Endpoint, scope: Scope) -> Endpoint:
    """Enter the generator `call` here, and leave its exit to FastAPI's stack for `scope`."""
    stack_of = function_stack if scope == "function" else request_stack

    async def adapted(**values: Any) -> Any:
        manager = _Managed(call, values)

        async def leave(*exc_info: Any) -> Any:
            if not manager.is_entered:
                return False
            return await _leave_in_worker(functools.partial(manager.leave, *exc_info))

        # Before it is entered, as the request may be cancelled just then.
        stack_of(current_execution.get().scope).push_async_exit(leave)
        return await _in_worker(manager.enter)

    return adapted


def _managed(call: Endpoint) -> Endpoint:
    """Make an async generator, which FastAPI enters and leaves itself, of the generator `call`."""

    async def adapted(**values: Any) -> AsyncIterator[Any]:
        manager = _Managed(call, values)
        try:
            yield await _in_worker(manager.enter)
        except BaseException as error:
            leave = functools.partial(manager.leave, type(error), error, error.__traceback__)
            if not manager.is_entered or not await _leave_in_worker(leave):
                raise
        else:
            await _leave_in_worker(functools.partial(manager.leave, None, None, None))

    return adapted


def _async_generator_function(call: Endpoint) -> Endpoint:
    async def adapted(**values: Any) -> AsyncIterator[Any]:
        try:
            async with asynccontextmanager(call)(**values) as value:
                yield value
        except OF_BODIES as error:
            note(error, values)
            raise

    return adapted


_ADAPTERS = {
    Kind.SYNC: _function,
    Kind.ASYNC: _coroutine_function,
    Kind.ASYNC_GENERATOR: _async_generator_function,
}


def original(adapted: Any) -> Endpoint:
    """Return what `adapted` is made of."""
    return cast("Endpoint", getattr(adapted, "adapted_from", adapted))
