"""System checks of the project: settings, databases, URLconf, application and routes.

mullet.E001   MULLET is wrong
mullet.E002   the FastAPI application cannot be loaded
mullet.E003   another `runserver` wins
mullet.E005   two schemas have the same name
mullet.E006   a prepared function cannot be prepared
mullet.E007   Django's middleware is to run around a WebSocket
mullet.W001   every request connects to a database anew
mullet.W002   a route does not run as a Django request
mullet.W003   a dependency commits after the response is sent
mullet.W004   `reverse()`, or whoever comes through Django, does not find the routes
mullet.W005   ASGI_APPLICATION is not set
mullet.W006   the application does not serve Django
mullet.W007   a route takes a body as the API shows it
mullet.W008   a decorator takes an endpoint out of its worker
mullet.W010   a prepared function names a ContextVar
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from functools import partial
from inspect import unwrap
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import load_backend
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from starlette.convertors import FloatConvertor, IntegerConvertor, UUIDConvertor

from django_mullet import conf
from django_mullet.applications import get_application
from django_mullet.asgi import is_mounted
from django_mullet.callables import dotted_name, layers
from django_mullet.dependencies.adaptation import Kind, below, kind
from django_mullet.error_handling.body_fields import body_models, marked_as
from django_mullet.error_handling.hints import websocket_middleware_hint
from django_mullet.middleware.route_option import middleware_of
from django_mullet.openapi.components import clashes
from django_mullet.queries import prepared
from django_mullet.queries.purity import names_context_variable
from django_mullet.routing.route import DjangoRoute
from django_mullet.routing.websockets import DjangoWebSocket
from django_mullet.schemas.model_schema import ModelSchema
from django_mullet.source_location import place_of
from django_mullet.urls import RoutePatterns, is_api_view

__all__ = [
    "check_application",
    "check_databases",
    "check_installed_apps",
    "check_prepared",
    "check_prepared_queries",
    "check_settings",
    "check_urlconf",
]

COMMITTING = {"atomic", "commit"}
"""Names in the code of a dependency that ends a transaction."""

SAMPLES = {
    FloatConvertor: "1.5",
    IntegerConvertor: "1",
    UUIDConvertor: "00000000-0000-4000-8000-000000000000",
}
"""What an address may have for a parameter, by its convertor; any text for the others."""

LOCAL_VENDORS = {"sqlite", "unknown"}
"""Vendors that connect to no server; `unknown` is Django's when there is no database at all."""


def check_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: `settings.MULLET` has a key or a value that it cannot have."""
    try:
        conf.current()
    except ImproperlyConfigured as error:
        hint = "Correct MULLET in the settings, or leave it out: every key has a default."
        return [checks.Error(str(error), hint=hint, id="mullet.E001")]
    return []


def check_installed_apps(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E003: the `runserver` of staticfiles comes before the one of django-mullet."""
    names = [config.name for config in apps.get_app_configs()]
    if "django.contrib.staticfiles" not in names[: names.index("django_mullet")]:
        return []
    return [
        checks.Error(
            "'django.contrib.staticfiles' stands before 'django_mullet' in INSTALLED_APPS: its "
            "'runserver' wins, which does not serve the FastAPI application.",
            hint="Move 'django_mullet' before 'django.contrib.staticfiles' in INSTALLED_APPS.",
            id="mullet.E003",
        )
    ]


def check_prepared(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E006: a function below `@prepared` does more with its parameters than compare them.

    W010: it names a ContextVar, which tells nothing where it is at its default.
    """
    messages: list[checks.CheckMessage] = []
    for each in prepared.decorated:
        if (error := prepared.refusal_of(each)) is not None:
            messages.append(checks.Error(str(error), obj=each, id="mullet.E006"))
        elif names_context_variable(each):
            messages.append(_names_context_variable(each))
    return messages


def _names_context_variable(function: Any) -> checks.CheckMessage:
    return checks.Warning(
        f"'{function.__name__}' is prepared, and names a ContextVar: the value that it has at the "
        "first call may be that of all others.",
        hint="Give what the ContextVar holds as a parameter, or leave '@prepared' out.",
        obj=function,
        id="mullet.W010",
    )


def check_prepared_queries(
    app_configs: Any, databases: Collection[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """E006: a function below `@prepared` reads more than its parameters, a ContextVar for instance.

    Where checks may ask a database: `manage.py check --database`, `migrate` and `test`.
    """
    return [
        checks.Error(str(error), obj=each, id="mullet.E006")
        for each in prepared.decorated
        if prepared.refusal_of(each) is None
        and (error := prepared.refusal_of(each, databases or ())) is not None
    ]


def check_databases(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """W001: a database on a server gets a new connection for every request."""
    return [
        checks.Warning(
            f"Database '{alias}' has CONN_MAX_AGE = 0: every request opens a new connection, TLS "
            "and authentication included, which costs about 8 ms on PostgreSQL.",
            hint=f'Write "CONN_MAX_AGE": None and "CONN_HEALTH_CHECKS": True in '
            f"DATABASES['{alias}'].",
            id="mullet.W001",
        )
        for alias, database in connections.settings.items()
        if database["CONN_MAX_AGE"] == 0
        and not database["OPTIONS"].get("pool")
        and load_backend(database["ENGINE"]).DatabaseWrapper.vendor not in LOCAL_VENDORS
    ]


def check_urlconf(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """W004: the URLconf does not include `django_mullet.urls`. Imports no application."""
    urlconf = getattr(settings, "ROOT_URLCONF", None)
    if not urlconf or not _application_path() or _includes_routes(get_resolver()):
        return []
    return [
        checks.Warning(
            f"ROOT_URLCONF = '{urlconf}' does not include 'django_mullet.urls': 'reverse()' and "
            "Django's test client do not find the FastAPI routes.",
            hint=f'Write \'path("", include("django_mullet.urls"))\' last in the urlpatterns of '
            f"'{urlconf}', but before a pattern that takes any address.",
            id="mullet.W004",
        )
    ]


def _application_path() -> str:
    """Return what the setting says, be it wrong; empty if nothing."""
    return str(getattr(settings, "ASGI_APPLICATION", None) or "")


def _includes_routes(pattern: Any) -> bool:
    if not isinstance(pattern, URLResolver):
        callback: Any = getattr(pattern, "callback", None)
        return is_api_view(callback)
    patterns = getattr(pattern.urlconf_module, "urlpatterns", pattern.urlconf_module)
    # To go through these would import the application.
    return isinstance(patterns, RoutePatterns) or any(map(_includes_routes, pattern.url_patterns))


def check_application(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E002, E005, E007, W002 to W008: about the application, which is imported."""
    path = _application_path()
    if not path:
        return [_application_not_set()]
    try:
        app = get_application()
        contexts = list(iter_route_contexts(app.routes))
    except ImproperlyConfigured as error:
        return [_application_not_loaded(path, str(error), error)]
    except Exception as error:  # whatever the modules of the project raise
        reason = f"{type(error).__name__}: {error}"
        message = f"ASGI_APPLICATION = '{path}' could not be imported: {reason}"
        return [_application_not_loaded(path, message, error)]
    messages = [] if is_mounted(app) else [_django_not_mounted(path)]
    messages += [_same_name(message) for message in clashes(app)]
    messages += _routes_behind_others(contexts)
    for context in contexts:
        if isinstance(context.original_route, APIRoute):
            messages += _route_messages(context)
        elif isinstance(context.original_route, APIWebSocketRoute):
            messages += _websocket_messages(context)
    return messages


def _routes_behind_others(contexts: Iterable[RouteContext]) -> list[checks.CheckMessage]:
    """W004: the URLconf has another view for a route, of a pattern before `django_mullet.urls`."""
    if not getattr(settings, "ROOT_URLCONF", None) or not _includes_routes(get_resolver()):
        return []
    taken: dict[str, tuple[str, ResolverMatch]] = {}  # by pattern, one route of each
    for context in contexts:
        if isinstance(context.original_route, APIRoute):
            address = _address(context)
            with suppress(Resolver404):
                match = get_resolver().resolve(address)
                if not is_api_view(match.func):
                    taken.setdefault(match.route, (address, match))
    return [_route_behind(*found) for found in taken.values()]


def _address(context: RouteContext) -> str:
    """Return an address that the route answers at."""
    address = context.path_format or ""
    for name, convertor in context.param_convertors.items():
        value = SAMPLES.get(type(convertor), "sample")
        address = address.replace(f"{{{name}}}", value)
    return address


def _route_behind(address: str, match: ResolverMatch) -> checks.CheckMessage:
    view = dotted_name(getattr(match.func, "view_class", match.func))
    return checks.Warning(
        f"The pattern '{match.route}' of '{view}' stands before 'django_mullet.urls' in "
        f"ROOT_URLCONF = '{settings.ROOT_URLCONF}' and takes '{address}', which is a FastAPI "
        "route: Django's test client and WSGI servers get the other view.",
        hint='Write \'path("", include("django_mullet.urls"))\' before that pattern.',
        id="mullet.W004",
    )


def _same_name(message: str) -> checks.CheckMessage:
    what, _, hint = message.partition("'. ")
    return checks.Error(f"{what}'.", hint=hint, id="mullet.E005")


def _application_not_set() -> checks.CheckMessage:
    package = str(settings.SETTINGS_MODULE or "").rpartition(".")[0] or "myproject"
    package = package.removesuffix(".settings")  # as of "config.settings.production"
    return checks.Warning(
        "The setting 'ASGI_APPLICATION' is not set: 'reverse()', 'runserver' and the checks of "
        "routes do not find the FastAPI application.",
        hint=f'Write ASGI_APPLICATION = "{package}.asgi.app", the dotted path of the FastAPI '
        "instance.",
        id="mullet.W005",
    )


def _application_not_loaded(path: str, message: str, error: Exception) -> checks.CheckMessage:
    module = path.replace(":", ".").rpartition(".")[0] or path
    place = place_of(error)
    return checks.Error(
        f"{message} ({place})" if place else message,
        hint="ASGI_APPLICATION must be the dotted path of a FastAPI instance. To see where its "
        f'import fails, run: manage.py shell -c "import {module}"',
        id="mullet.E002",
    )


def _django_not_mounted(path: str) -> checks.CheckMessage:
    module, _, name = path.rpartition(".")
    return checks.Warning(
        f"The FastAPI application '{path}' does not serve Django: the admin and every other "
        "Django view answer 404.",
        hint=f"Write 'mount_django({name})' at the end of '{module}', after 'from "
        "django_mullet import mount_django'.",
        id="mullet.W006",
    )


def _route_messages(context: RouteContext) -> Iterator[checks.CheckMessage]:
    methods = ",".join(sorted(context.methods or ()))
    route = f"{methods} {context.path}"
    if not isinstance(context.original_route, DjangoRoute):
        yield _plain_route(route, dotted_name(context.endpoint))
    for call in dict.fromkeys(_made_asynchronous(context.dependant)):
        yield _out_of_worker(route, dotted_name(call))
    # A dictionary, as a route may have a dependency more than once.
    for call in dict.fromkeys(_committing_late(context.dependant)):
        yield _late_commit(route, dotted_name(call))
    for schema in _bodies_as_shown(context.dependant):
        yield _body_as_shown(route, schema)


def _websocket_messages(context: RouteContext) -> Iterator[checks.CheckMessage]:
    # FastAPI makes an included route anew, and it becomes ours with its first connection.
    route = cast("APIWebSocketRoute", context.original_route)
    if not isinstance(route.app, DjangoWebSocket):
        # The oldest FastAPI that is supported does not know where it includes a WebSocket.
        path, endpoint = context.path or route.path, context.endpoint or route.endpoint
        yield checks.Warning(
            f"The WebSocket '{path}' of '{dotted_name(endpoint)}' does not run in "
            "Django's workers: its queries run on unmanaged threads and connections.",
            hint="Use 'from django_mullet import APIRouter' in place of FastAPI's. Put "
            "WebSockets of the application itself, as of '@app.websocket', in such a router.",
            id="mullet.W002",
        )

    dependant = context.dependant or route.dependant
    if middleware_of(dependant) is not None:
        message, hint = websocket_middleware_hint(context.path or route.path)
        yield checks.Error(message, hint=hint, id="mullet.E007")


def _plain_route(route: str, endpoint: str) -> checks.CheckMessage:
    return checks.Warning(
        f"The route '{route}' of '{endpoint}' does not run as a Django request: its queries run "
        "on several threads and connections, without ATOMIC_REQUESTS.",
        hint="Use 'from django_mullet import APIRouter' in place of FastAPI's. Put routes "
        "of the application itself, as of '@app.get', in such a router, or write 'from "
        "django_mullet import DjangoRoute' and 'app.router.route_class = DjangoRoute' before them.",
        id="mullet.W002",
    )


def _late_commit(route: str, dependency: str) -> checks.CheckMessage:
    return checks.Warning(
        f"The route '{route}' depends on '{dependency}', which commits after the response is "
        "sent: the client may be told of success before, or without, the commit.",
        hint="Write 'Depends(dependency, scope=\"function\")' for it, or use 'Atomic' of "
        "'django_mullet'.",
        id="mullet.W003",
    )


def _made_asynchronous(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """Yield the `async def` functions of a route that a decorator has made of `def` ones."""
    for each in (dependant, *below(dependant)):
        call: Any = each.call
        while isinstance(call, partial):
            call = call.func
        if inspect.iscoroutinefunction(call) and not inspect.iscoroutinefunction(unwrap(call)):
            yield call


def _out_of_worker(route: str, call: str) -> checks.CheckMessage:
    return checks.Warning(
        f"The route '{route}' runs '{call}', which is 'def', by a decorator that is 'async def': "
        "it may run in a thread and on a connection of its own, outside of the transaction of its "
        "request, and keep its rows when that fails.",
        hint="Write 'async def' and the asynchronous methods of the ORM. In a decorator of your "
        "own call the function by 'await sync_to_async(function)(...)' of 'asgiref.sync', which "
        "runs in the worker of the request, and silence the check.",
        id="mullet.W008",
    )


def _bodies_as_shown(dependant: Dependant) -> list[Any]:
    """Return the schemas of a body that are neither `Create`, `Update` nor `Patch` of one."""
    fields = [field for each in (dependant, *below(dependant)) for field in each.body_params]
    found = {
        schema: None
        for field in fields
        for schema, variant in body_models(field.field_info.annotation, marked_as(field.field_info))
        if variant is None and issubclass(schema, ModelSchema)
    }
    return [*found]


def _body_as_shown(route: str, schema: Any) -> checks.CheckMessage:
    name = schema.__name__
    return checks.Warning(
        f"The route '{route}' takes '{name}' as its body, which is what the API shows: read-only "
        "fields are asked of the client, and the defaults and limits of the model do not hold.",
        hint=f"Write 'Create[{name}]', 'Update[{name}]' or 'Patch[{name}]', of "
        "'django_mullet', for the body.",
        id="mullet.W007",
    )


def _committing_late(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """Yield the dependencies that end a transaction when the response is sent already."""
    for sub in below(dependant):
        call: Any = sub.call
        yields = kind(call) in {Kind.GENERATOR, Kind.ASYNC_GENERATOR}
        if yields and sub.scope != "function" and any(map(_mentions_commit, layers(call))):
            yield call


def _mentions_commit(layer: Any) -> bool:
    code = getattr(layer, "__code__", None)
    return code is not None and not COMMITTING.isdisjoint({*code.co_names, *code.co_freevars})
