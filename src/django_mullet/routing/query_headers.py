"""Response headers that tell, with `DEBUG`, what a request has queried: `Server-Timing`.

`X-Query-Plan` is added where the request asks for it: what its response loads.
"""

from typing import Any

from fastapi import Request, Response

from django_mullet.execution.query_log import QueryLog
from django_mullet.results.presenting import shown_schemas
from django_mullet.schemas.query_plan import plan_of

__all__ = ["add_query_headers"]

QUERY_PLAN = "X-Query-Plan"
"""The header by which a request asks what its response loads, and by which that is told."""


def add_query_headers(
    response: Response, log: QueryLog, request: Request, response_model: Any
) -> None:
    """Put what was queried into the headers; see the Server-Timing specification of the W3C."""
    milliseconds, number = log.seconds * 1000, len(log.statements)
    told = "1 query" if number == 1 else f"{number} queries"
    response.headers.append("Server-Timing", f'db;dur={milliseconds:.1f};desc="{told}"')
    if QUERY_PLAN in request.headers:
        plans = [plan_of(schema) for schema in shown_schemas(response_model)]
        response.headers[QUERY_PLAN] = " | ".join(" ; ".join(each.described()) for each in plans)
