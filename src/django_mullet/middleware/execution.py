"""The execution of a request with Django's middleware around its route."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpResponseBase
from django.urls import ResolverMatch
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from django_mullet._compat.django import set_handler_class
from django_mullet.execution import request_signals
from django_mullet.execution.execution import Execution
from django_mullet.execution.handoff import to_worker
from django_mullet.middleware.call import MiddlewareCall, Respond
from django_mullet.middleware.chain import Chain
from django_mullet.middleware.request import RouteRequest
from django_mullet.middleware.response import close, has_new_body
from django_mullet.middleware.route_option import DjangoMiddleware
from django_mullet.streaming.bodies import to_its_end

__all__ = ["MiddlewareBinding", "MiddlewareExecution"]

_chains: dict[tuple[tuple[str, ...], bool], Chain] = {}


@receiver(setting_changed)
def _forget_chains(**kwargs: Any) -> None:
    """Have middleware read its settings again, when a test has changed them."""
    _chains.clear()


@dataclass(frozen=True, slots=True)
class MiddlewareBinding:
    """The middleware around one route."""

    middleware: DjangoMiddleware
    endpoint: Callable[..., Any]
    path: str
    name: str

    async def chain(self, scope: Any, *, on_loop: bool) -> Chain:
        """Return the chain, which the first request makes, in a worker."""
        key = (self.middleware.paths, on_loop)
        chain = _chains.get(key)
        if chain is None:
            execution = Execution(scope)
            try:
                made = await execution.run(lambda: Chain(key[0], on_loop=on_loop))
            finally:
                cancelled = await execution.aclose()
            if cancelled is not None:
                raise cancelled
            chain = _chains.setdefault(key, made)
        return chain

    def resolver_match(self, path_params: dict[str, Any]) -> ResolverMatch:
        """Return what Django's URL resolver would have found."""
        return ResolverMatch(self.endpoint, (), path_params, self.name, route=self.path)


class MiddlewareExecution(Execution):
    """The execution of a request with the middleware of `chain` around it."""

    keeps_session = False  # where it is cancelled, middleware sees no response

    def __init__(
        self, binding: MiddlewareBinding, chain: Chain, scope: Any, **options: Any
    ) -> None:
        super().__init__(scope, **options)
        self._binding = binding
        self._chain = chain
        self._request: RouteRequest | None = None
        self._made: HttpResponseBase | None = None

    async def respond(self, request: Request, respond: Respond) -> Response:
        """Return what the middleware makes of what `respond` returns or raises."""
        await to_worker()
        try:
            django = self._request = RouteRequest(request, self._binding.resolver_match)
        except (BadRequest, ValueError, LookupError):  # the last two from Django before 6.1
            return Response(status_code=400)
        call = django.call = MiddlewareCall(self._binding.endpoint, request, respond)
        try:
            final = await self._chain.outermost(django)
        finally:
            del django.call
        self.keeps_session = not has_new_body(final)
        response = call.response(final)
        if has_new_body(final) and final.is_async and isinstance(response, StreamingResponse):
            response.body_iterator = to_its_end(response.body_iterator, self)
        if has_new_body(final) or not call.is_fastapi_s(final):
            set_handler_class(final, type(self))
            self._made = final
        return response

    def end(self) -> None:
        if self._request is not None:
            request_signals.log_errors(self._request.close)
        if self._made is None:
            super().end()
        else:
            # Closes the body that middleware has made, too, and sends `request_finished`.
            close(self._made)
