"""Error responses as FastAPI writes them, or as problem details (RFC 9457).

FastAPI writes `{"detail": ...}`. With `MULLET["PROBLEM_DETAILS"]` the same is a problem of RFC
9457, with the members `type`, `title`, `status` and `detail`, and `errors` where there are several.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from django_mullet import conf

__all__ = ["PROBLEM_JSON", "error_response", "problem"]

PROBLEM_JSON = "application/problem+json"


def error_response(status: int, detail: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that says `detail`, in the form that the settings want.

    `detail` is a sentence, or a list of errors as Pydantic writes them.
    """
    if not conf.current().problem_details:
        return _JSON({"detail": detail}, status_code=status, headers=headers)
    content = json.dumps(problem(status, detail))
    return Response(content, status_code=status, headers=headers, media_type=PROBLEM_JSON)


class _JSON(JSONResponse):
    """As FastAPI writes JSON; but a message may quote what no encoding has, as a lone surrogate."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode(errors="backslashreplace")  # which is JSON's way to write it, too


def problem(status: int, detail: Any) -> dict[str, Any]:
    """Return the members of the problem that `detail` tells of (RFC 9457, section 3).

    Those of a dictionary are members themselves, `type` for instance.
    """
    members: dict[str, Any] = {"type": "about:blank", "title": _title(status), "status": status}
    if isinstance(detail, dict):
        return {**members, **detail, "status": status}
    if isinstance(detail, list):
        number = "1 error" if len(detail) == 1 else f"{len(detail)} errors"
        errors = [_with_pointer(error) for error in detail]
        return {**members, "detail": f"The request has {number}.", "errors": errors}
    return {**members, "detail": str(detail)}


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _with_pointer(error: Any) -> Any:
    """Return `error` with a JSON pointer to what is wrong in the body, as a URI's fragment."""
    loc = error.get("loc") if isinstance(error, dict) else None
    if not loc or loc[0] != "body" or error.get("type") == "json_invalid":
        return error
    return {**error, "pointer": "#" + "".join(f"/{_escaped(part)}" for part in loc[1:])}


def _escaped(part: Any) -> str:
    # RFC 6901, sections 3 and 6. A lone surrogate has no place in a URI.
    token = str(part).replace("~", "~0").replace("/", "~1")
    return quote(token.encode(errors="replace"), safe="~!$&'()*+,;=:@")
