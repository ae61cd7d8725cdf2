"""What is combined with what, and why some combinations do not exist?"""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CONNECTIONS",
    "ENDPOINTS",
    "LOOKS",
    "ROWS",
    "TENANCIES",
    "TENANTS",
    "Endpoint",
    "Expected",
    "Tenancy",
    "absent",
]

TENANTS = ("alder", "beech", "cedar", "elm", "fir")
ROWS = 5
"""How many rows each tenant has."""

LOOKS = 3
"""How often an endpoint looks at them: at its beginning, in the middle, at its end."""

CONNECTIONS = ("kept", "closed", "pool")
"""`CONN_MAX_AGE` of None, of 0, and psycopg's pool."""

Expected = Literal["own", "none", "foreign"]
"""Whose rows are seen, if all is well; "foreign" is how the harness shows that it can fail."""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """One way of telling the database session whose request it is."""

    name: str
    how: str
    schemas: bool = False
    """Schemas of django-tenants, not row-level security."""
    around_routes: tuple[str, ...] = ()
    """Middleware that sets the tenant of FastAPI's routes; without it, a dependency does."""
    around_views: tuple[str, ...] = ()
    """Middleware that sets the tenant of Django's views."""
    yields: bool = False
    """Whether the dependency resets the tenant after its yield."""
    resets: bool = False
    """Whether nothing of a tenant is left in the session when any request is over."""
    settings: tuple[tuple[str, object], ...] = ()


_FUNCTION = ("tests.isolation.tenancy.tenant_of_request",)
_MIXIN = ("tests.isolation.tenancy.TenantMiddleware",)
_PACKAGE = ("django_tenants.middleware.main.TenantMainMiddleware",)

TENANCIES = {
    tenancy.name: tenancy
    for tenancy in (
        Tenancy(
            "rls-function",
            "row-level security, middleware that is a function",
            around_routes=_FUNCTION,
            around_views=_FUNCTION,
            resets=True,
        ),
        Tenancy(
            "rls-mixin",
            "row-level security, middleware with MiddlewareMixin",
            around_routes=_MIXIN,
            around_views=_MIXIN,
            resets=True,
        ),
        Tenancy("rls-def", "row-level security, def dependency"),
        Tenancy(
            "rls-yield",
            "row-level security, def dependency that resets after its yield",
            yields=True,
            resets=True,
        ),
        Tenancy(
            "schemas",
            "django-tenants, def dependency, and its middleware for views",
            schemas=True,
            around_views=_PACKAGE,
        ),
        Tenancy(
            "schemas-limited",
            "the same with TENANT_LIMIT_SET_CALLS",
            schemas=True,
            around_views=_PACKAGE,
            settings=(("TENANT_LIMIT_SET_CALLS", True),),
        ),
        Tenancy(
            "schemas-yield",
            "the same with a dependency that resets after its yield",
            schemas=True,
            around_views=_PACKAGE,
            yields=True,
            settings=(("TENANT_LIMIT_SET_CALLS", True),),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of code that looks at the rows several times while it answers."""

    name: str
    path: str
    kind: Literal["answer", "stream", "task", "socket"] = "answer"
    expected: Expected = "own"

    @property
    def lasts(self) -> bool:
        """Whether it holds its connection for as long as its client likes."""
        return self.kind in {"stream", "socket"}


ENDPOINTS = (
    Endpoint("def", "/api/def"),
    Endpoint("async def", "/api/async"),
    Endpoint("async Django view", "/django/async-view"),
    Endpoint("Django view", "/django/view"),
    Endpoint("def background task", "/api/task", kind="task"),
    Endpoint("async background task", "/api/async-task", kind="task"),
    Endpoint("StreamingResponse, def", "/api/stream", kind="stream"),
    Endpoint("StreamingResponse, async", "/api/async-stream", kind="stream"),
    Endpoint("def generator", "/api/generator", kind="stream"),
    Endpoint("async generator", "/api/async-generator", kind="stream"),
    Endpoint("StreamingHttpResponse", "/django/stream", kind="stream"),
    Endpoint("WebSocket", "/api/socket", kind="socket"),
    Endpoint("no tenant set", "/unset/async", expected="none"),
    Endpoint("self-check: wrong tenant", "/check/wrong", expected="foreign"),
    Endpoint("self-check: any thread", "/check/threads", expected="foreign"),
)


def absent(tenancy: Tenancy, endpoint: Endpoint) -> str | None:
    """Return why `endpoint` does not exist with `tenancy`, or None if it does."""
    if endpoint.path.startswith("/django") and not tenancy.around_views:
        return "a view of Django's has no FastAPI dependency that could set the tenant"
    if endpoint.kind == "socket" and tenancy.around_routes:
        return "no middleware of Django's runs around a WebSocket: a dependency sets the tenant"
    if endpoint.expected == "none" and not tenancy.resets:
        return "nobody resets the tenant: as in Django, the next one has to set its own"
    return None
