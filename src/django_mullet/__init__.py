"""FastAPI in the front, Django in the back.

FastAPI's routes over Django's ORM: one request is one Django request, in one worker thread, on one
database connection, with Django's transactions, signals and test cases, and with the admin on the
same port.

Every public name is imported from here: `from django_mullet import APIRouter, ModelSchema`. Each is
loaded when it is first asked for, as `INSTALLED_APPS` imports this package before models may be
imported (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_mullet.asgi import mount_django
    from django_mullet.codegen.schema_for import schema_for
    from django_mullet.django_handler import DjangoHandler
    from django_mullet.error_handling.handlers import install_exception_handlers
    from django_mullet.error_handling.openapi_responses import errors
    from django_mullet.error_handling.problem_details import error_response
    from django_mullet.error_handling.retries import is_conflict, retry_on_conflict
    from django_mullet.exceptions import (
        AlreadyCommitted,
        ConnectionLimitReached,
        LazyLoad,
        MulletError,
        NotPreparable,
        OutcomeUnknown,
        Overloaded,
        PreparedMismatch,
        RolledBack,
        TooManyQueries,
        UnshownModel,
        UnsupportedFastAPI,
    )
    from django_mullet.fields.ranges import Bounds, Range
    from django_mullet.fields.registry import UnknownValues, annotation_of, register_field_type
    from django_mullet.middleware.request import DjangoRequest, django_request
    from django_mullet.middleware.route_option import DjangoMiddleware
    from django_mullet.openapi.docs_pages import docs_router
    from django_mullet.openapi.operation_ids import operation_id
    from django_mullet.queries.prepared import Prepared, prepared
    from django_mullet.queries.prepared_queryset import PreparedQuerySet
    from django_mullet.queries.prepared_writes import PreparedWrites
    from django_mullet.routing.connection_per import ConnectionPer
    from django_mullet.routing.query_budget import max_queries
    from django_mullet.routing.route import APIRouter, DjangoRoute
    from django_mullet.routing.transaction import Atomic, atomic
    from django_mullet.schemas.model_schema import (
        Collection,
        Create,
        CreateOnly,
        FromAPI,
        ModelSchema,
        NotSent,
        Patch,
        ReadOnly,
        Update,
        Writable,
        WriteOnly,
        reads,
    )
    from django_mullet.testing import APIClient, assert_constant_queries

__version__ = "0.1.0"

__all__ = [
    "APIClient",
    "APIRouter",
    "AlreadyCommitted",
    "Atomic",
    "Bounds",
    "Collection",
    "ConnectionLimitReached",
    "ConnectionPer",
    "Create",
    "CreateOnly",
    "DjangoHandler",
    "DjangoMiddleware",
    "DjangoRequest",
    "DjangoRoute",
    "FromAPI",
    "LazyLoad",
    "ModelSchema",
    "MulletError",
    "NotPreparable",
    "NotSent",
    "OutcomeUnknown",
    "Overloaded",
    "Patch",
    "Prepared",
    "PreparedMismatch",
    "PreparedQuerySet",
    "PreparedWrites",
    "Range",
    "ReadOnly",
    "RolledBack",
    "TooManyQueries",
    "UnknownValues",
    "UnshownModel",
    "UnsupportedFastAPI",
    "Update",
    "Writable",
    "WriteOnly",
    "__version__",
    "annotation_of",
    "assert_constant_queries",
    "atomic",
    "django_request",
    "docs_router",
    "error_response",
    "errors",
    "install_exception_handlers",
    "is_conflict",
    "max_queries",
    "mount_django",
    "operation_id",
    "prepared",
    "reads",
    "register_field_type",
    "retry_on_conflict",
    "schema_for",
]

_MODULES = {
    "APIClient": "testing",
    "APIRouter": "routing.route",
    "AlreadyCommitted": "exceptions",
    "Atomic": "routing.transaction",
    "Bounds": "fields.ranges",
    "Collection": "schemas.model_schema",
    "ConnectionLimitReached": "exceptions",
    "ConnectionPer": "routing.connection_per",
    "Create": "schemas.model_schema",
    "CreateOnly": "schemas.model_schema",
    "DjangoHandler": "django_handler",
    "DjangoMiddleware": "middleware.route_option",
    "DjangoRequest": "middleware.request",
    "DjangoRoute": "routing.route",
    "FromAPI": "schemas.model_schema",
    "LazyLoad": "exceptions",
    "ModelSchema": "schemas.model_schema",
    "MulletError": "exceptions",
    "NotPreparable": "exceptions",
    "NotSent": "schemas.model_schema",
    "OutcomeUnknown": "exceptions",
    "Overloaded": "exceptions",
    "Patch": "schemas.model_schema",
    "Prepared": "queries.prepared",
    "PreparedMismatch": "exceptions",
    "PreparedQuerySet": "queries.prepared_queryset",
    "PreparedWrites": "queries.prepared_writes",
    "Range": "fields.ranges",
    "ReadOnly": "schemas.model_schema",
    "RolledBack": "exceptions",
    "TooManyQueries": "exceptions",
    "UnknownValues": "fields.registry",
    "UnshownModel": "exceptions",
    "UnsupportedFastAPI": "exceptions",
    "Update": "schemas.model_schema",
    "Writable": "schemas.model_schema",
    "WriteOnly": "schemas.model_schema",
    "annotation_of": "fields.registry",
    "assert_constant_queries": "testing",
    "atomic": "routing.transaction",
    "django_request": "middleware.request",
    "docs_router": "openapi.docs_pages",
    "error_response": "error_handling.problem_details",
    "errors": "error_handling.openapi_responses",
    "install_exception_handlers": "error_handling.handlers",
    "is_conflict": "error_handling.retries",
    "max_queries": "routing.query_budget",
    "mount_django": "asgi",
    "operation_id": "openapi.operation_ids",
    "prepared": "queries.prepared",
    "reads": "schemas.model_schema",
    "register_field_type": "fields.registry",
    "retry_on_conflict": "error_handling.retries",
    "schema_for": "codegen.schema_for",
}
"""The module of each public name."""


if not TYPE_CHECKING:  # or a type checker would take any name to be here

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module 'django_mullet' has no attribute '{name}'")
        value = getattr(import_module(f"django_mullet.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
