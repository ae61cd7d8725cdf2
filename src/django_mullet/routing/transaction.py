"""Transactions around routes (`ATOMIC_REQUESTS`, `Atomic`), and `atomic()` for both kinds of code.

As in a Django view: with `ATOMIC_REQUESTS` the whole request is one transaction, from which
`django.db.transaction.non_atomic_requests` exempts an endpoint. `Atomic` asks for one where
the setting does not, and `async with atomic()` for one that lasts as long as the block.
The transaction of a request ends before the first byte of the answer is sent, so that an
answer of 200 means that the rows are there.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Annotated, ParamSpec, Protocol, TypeVar, overload

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from fastapi import Depends
from starlette.responses import Response

from django_mullet import conf
from django_mullet._compat.django import non_atomic_aliases
from django_mullet.execution.async_atomic import AtomicBlock
from django_mullet.execution.handoff import to_worker

__all__ = ["Atomic", "atomic", "atomic_aliases", "atomic_request", "run_atomic"]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Function(Protocol[P, T_co]):
    # Not 'Callable', of which FastAPI would make a query parameter: so 'Depends(atomic)', which
    # would open no transaction, is an error where the route is defined.
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co: ...


@overload
def atomic(using: Callable[P, T]) -> Callable[P, T]: ...


@overload
def atomic(
    using: str | None = None, savepoint: bool = True, durable: bool = False
) -> AtomicBlock: ...


def atomic(
    using: str | _Function[P, T] | None = None, savepoint: bool = True, durable: bool = False
) -> AtomicBlock | Callable[P, T]:
    """Django's `transaction.atomic`, which may also be written `async with atomic():`.

    Takes the same arguments, and decorates `async def` functions as well. Whatever queries
    until the block is left belongs to the transaction. Raises `TransactionManagementError`
    when a task opens a block beside the open one of another task of the same request.
    """
    if callable(using):
        return AtomicBlock(DEFAULT_DB_ALIAS, savepoint, durable)(using)
    return AtomicBlock(using or DEFAULT_DB_ALIAS, savepoint, durable)


def atomic_request() -> Iterator[None]:
    """Dependency: run the route in a transaction on the default database.

    Any exception, `HTTPException` and a response that fails its validation included,
    rolls back. Write it as `Atomic`, or as `Depends(atomic_request, scope="function")`.
    """
    with atomic():
        yield


Atomic = Annotated[None, Depends(atomic_request, scope="function")]
"""`atomic_request` as a parameter's annotation: `def create(body: Body, _: Atomic) -> Row`."""


def atomic_aliases(endpoint: Callable[..., object]) -> list[str]:
    """Return the databases on which `ATOMIC_REQUESTS` wraps `endpoint`."""
    exempt = non_atomic_aliases(endpoint)
    return [
        alias
        for alias, settings in connections.settings.items()
        if settings["ATOMIC_REQUESTS"] and alias not in exempt
    ]


async def run_atomic(aliases: list[str], respond: Callable[[], Awaitable[Response]]) -> Response:
    """Return what `respond` returns, in one transaction on each of `aliases`.

    Ends in the request's worker. A returned response of 400 or more commits, as in
    Django, unless `MULLET["ROLLBACK_ON_ERROR_RESPONSE"]` is set.
    """
    await to_worker()
    with ExitStack() as transactions:
        for alias in aliases:
            transactions.enter_context(atomic(alias))
        try:
            response = await respond()
        finally:
            await to_worker()
        if response.status_code >= 400 and conf.current().rollback_on_error_response:
            for alias in aliases:
                transaction.set_rollback(True, using=alias)
    return response
