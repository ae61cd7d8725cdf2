"""The structure of FastAPI that the fast path stands in for, and what the installed one adds to it.

The fast path does in its own words what a few functions of FastAPI do. A newer FastAPI may add to
them what it knows nothing of: a field, a parameter, another function that is called on the way. So
all of that is written down here, as it is in the oldest release that is supported and in the
newest, and whatever is not written down turns the fast path off. What counts is structure, and no
version number: a release that changes none of it stays fast.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from inspect import Parameter, signature
from pkgutil import resolve_name
from types import CodeType
from typing import TYPE_CHECKING, Any

from fastapi import params

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

__all__ = [
    "HANDLER_VARIABLES",
    "PARAMETER_MARKERS",
    "WEBSOCKET_SIGNATURES",
    "signature_of",
    "unknown_in_handler",
    "unknown_in_library",
    "unknown_in_tree",
]

_MODELS = "fastapi.dependencies.models"
_ROUTING = "fastapi.routing"
_UTILS = "fastapi.dependencies.utils"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DEPENDANT = _words(
    "path_params query_params header_params cookie_params body_params dependencies name call "
    "request_param_name websocket_param_name http_connection_param_name response_param_name "
    "background_tasks_param_name security_scopes_param_name own_oauth_scopes parent_oauth_scopes "
    "use_cache path scope concurrency _request_param_names"
)
"""The fields of a `Dependant`."""

_NOT_EVERYWHERE = {"concurrency", "_request_param_names"}
"""What only some of the supported releases have. The second is about models that take parameters
together, as `known_param_names` below is: the fast path leaves them to FastAPI."""

_FIELDS = {
    f"{_MODELS}.Dependant": _DEPENDANT,
    "fastapi._compat.ModelField": frozenset({"field_info", "name", "mode", "config"}),
    f"{_UTILS}.SolvedDependency": frozenset(
        {"values", "errors", "background_tasks", "response", "dependency_cache"}
    ),
}
"""The fields of the dataclasses that the fast path reads, or makes none of."""

_SCOPES = (None, "function", "request")

PARAMETER_MARKERS = (params.Path, params.Query, params.Header, params.Cookie, params.Body)
"""The classes of the markers that the fast path knows; a class below them may do anything."""

_MARKER = _words(
    "convert_underscores deprecated embed example in_ include_in_schema media_type openapi_examples"
)
"""What FastAPI's markers have beside what they have as Pydantic's `FieldInfo`."""

_SIGNATURES = {
    "fastapi._compat.ModelField.validate": ["(self, value, values, *, loc)"],
    f"{_ROUTING}._build_response_args": ["(*, status_code, solved_result)"],
    f"{_ROUTING}._extract_endpoint_context": ["(func)"],
    f"{_ROUTING}.is_body_allowed_for_status_code": ["(status_code)"],
    f"{_ROUTING}.run_endpoint_function": ["(*, dependant, values, is_coroutine)"],
    f"{_ROUTING}.serialize_response": [
        (
            "(*, field, response_content, include, exclude, by_alias, exclude_unset, "
            "exclude_defaults, exclude_none, is_coroutine, endpoint_ctx, dump_json)"
        )
    ],
    f"{_ROUTING}.solve_dependencies": [
        "(*, request, dependant, body, background_tasks, response, dependency_overrides_provider, "
        f"dependency_cache, async_exit_stack, embed_body_fields, _uses_scopes_cache{more})"
        for more in ("", ", _request_param_names")
    ],
    f"{_UTILS}._get_multidict_value": ["(field, values, alias)"],
    f"{_UTILS}._solve_generator": [
        "(*, dependant, stack, sub_values)",
        "(*, dependant, stack, sub_values, request)",
    ],
    f"{_UTILS}._validate_value_with_model_field": ["(*, field, value, values, loc)"],
    f"{_UTILS}.request_body_to_args": [
        "(body_fields, received_body, embed_body_fields)",
        "(body_fields, received_body, embed_body_fields, known_param_names)",
    ],
    f"{_UTILS}.request_params_to_args": [
        "(fields, received_params)",
        "(fields, received_params, *, known_param_names)",
    ],
}
"""The parameters of the functions that the fast path replaces or calls."""

HANDLER_VARIABLES = _words(
    "actual_response_class actual_strict_content_type body_field dependant "
    "dependency_overrides_provider embed_body_fields form_limits is_body_form is_coroutine "
    "is_json_stream is_sse_stream response_class response_field response_model_by_alias "
    "response_model_exclude response_model_exclude_defaults response_model_exclude_none "
    "response_model_exclude_unset response_model_include status_code stream_item_field"
)
"""The free variables of FastAPI's request handler; `form_limits` not in all releases."""

WEBSOCKET_SIGNATURES = {
    "get_websocket_app": "(dependant, dependency_overrides_provider, embed_body_fields)",
    "websocket_session": "(func)",
}
"""The parameters of the functions by which FastAPI makes the application of a WebSocket."""

_HANDLER_NAMES = _words(
    """
    Any AsyncExitStack AsyncIterator DefaultPlaceholder EndOfStream EndpointContext Exception
    FormData HTTPException Iterator JSONDecodeError KEEPALIVE_COMMENT MAX_BODY_SIZE_SCOPE_KEY
    Message ObjectReceiveStream RequestValidationError Response ResponseValidationError
    ServerSentEvent StreamingResponse TimeoutError Undefined _FASTAPI_SCOPE_KEY _PING_INTERVAL
    __aiter__ _build_response_args _extract_endpoint_context _is_async_gen_callable
    _is_gen_callable _normalize_non_finite_floats _operation _resolve_form_limits
    _validation_failed aclose anyio asynccontextmanager background background_tasks body bytes
    call cancel cancel_scope cast close comment create_memory_object_stream create_task_group data
    decode dict doc dumps email encode endswith enter_async_context errors event extend fail_after
    form format_sse_event get get_body_limit_error get_content_maintype get_content_subtype
    get_telemetry_data hasattr headers id is_body_allowed_for_status_code isinstance
    iterate_in_threadpool json jsonable_encoder message method model_dump_json msg path pos
    push_async_callback raw raw_data receive request response retry rstrip run_endpoint_function
    scope send serialize_json serialize_response sleep solve_dependencies start_soon status_code
    str validate values
    """
)
"""The globals and attributes that FastAPI's request handler uses: what it does, as far as it can
be told without reading it."""

_NAMES = {
    f"{_MODELS}._get_cache_key": """
        _get_computed_scope _get_oauth_scopes _uses_scopes call set sorted tuple
        """,
    f"{_MODELS}._get_computed_scope": "_is_async_gen_callable _is_gen_callable call scope",
    f"{_ROUTING}._build_response_args": "background_tasks response status_code",
    f"{_ROUTING}.run_endpoint_function": """
        _operation _run_sync_endpoint call run_in_threadpool
        """,
    f"{_ROUTING}.serialize_response": """
        EndpointContext ResponseValidationError jsonable_encoder run_in_threadpool serialize
        serialize_json validate
        """,
    f"{_ROUTING}.solve_dependencies": """
        Any AsyncExitStack BackgroundTasks Callable Request Response SecurityScopes
        SolvedDependency WebSocket _get_cache_key _get_oauth_scopes _get_request_param_names
        _is_async_gen_callable _is_coroutine_callable _is_gen_callable _request_param_names
        _solve_generator background_tasks background_tasks_param_name body_params call cast
        concurrency cookie_params cookies dependencies dependency_overrides errors extend get
        get_dependant get_semaphore getattr header_params headers http_connection_param_name
        isinstance name path path_params query_params request_body_to_args request_param_name
        request_params_to_args response_param_name run_in_threadpool scope
        security_scopes_param_name solve_dependencies status_code update use_cache values
        websocket_param_name
        """,
    f"{_UTILS}._get_multidict_value": """
        Form FormData Headers ImmutableMultiDict Undefined _is_empty_file_input _is_json_field
        annotation deepcopy default field_annotation_is_sequence field_info get
        get_validation_alias getlist is_required isinstance len params str
        """,
    f"{_UTILS}._validate_value_with_model_field": """
        Undefined deepcopy default field_info get_missing_field_error is_required validate
        validate_default
        """,
    f"{_UTILS}.request_body_to_args": """
        AttributeError BaseModel FormData Undefined _extract_form_body _extract_form_model
        _get_form_model _get_form_models _get_form_union_models _get_param_aliases
        _is_form_model _is_form_model_supplied _should_embed_body_fields
        _validate_value_with_model_field annotation any append bool bytes cast extend
        field_info get get_args get_cached_model_fields get_missing_field_error
        get_validation_alias is_union_of_base_models isinstance len lenient_issubclass
        name received_body type
        """,
    f"{_UTILS}.request_params_to_args": """
        BaseModel Headers ImmutableMultiDict Param Undefined _get_multidict_value
        _get_param_aliases _get_param_model _is_json_field _request_param_model_to_args
        _validate_value_with_model_field add annotation cast extend field_info get
        get_cached_model_fields get_validation_alias getattr getlist in_ isinstance keys len
        lenient_issubclass list model_config name next params replace set type value
        """,
}
"""The same of the functions that the fast path replaces."""


@cache
def unknown_in_library() -> list[str]:
    """Return what FastAPI's classes and functions have that the fast path does not know."""
    return [
        *_unknown_fields(),
        *_unknown_signatures(),
        *_unknown_names(),
    ]


@cache
def unknown_in_handler(code: CodeType) -> list[str]:
    """Return what FastAPI's request handler, of `code`, has that the fast path does not know."""
    variables = set(code.co_freevars) - HANDLER_VARIABLES
    names = _names_of(code) - _HANDLER_NAMES
    return [
        *(f"the variable '{name}' of FastAPI's request handler" for name in sorted(variables)),
        *(f"'{name}' in the code of FastAPI's request handler" for name in sorted(names)),
    ]


def unknown_in_tree(dependants: Iterable["Dependant"]) -> list[str]:
    """Return what the dependencies of a route have that the fast path does not know."""
    return [what for dependant in dependants for what in _unknown_in_dependant(dependant)]


def _unknown_in_dependant(dependant: "Dependant") -> Iterator[str]:
    if type(dependant) is not _object(f"{_MODELS}.Dependant"):
        yield f"the class '{type(dependant).__qualname__}' of a dependency"
    if dependant.scope not in _SCOPES:
        yield f"the scope '{dependant.scope}' of a dependency"
    sources = "path_params", "query_params", "header_params", "cookie_params", "body_params"
    for field in (field for source in sources for field in getattr(dependant, source)):
        if type(field) is not _MODEL_FIELD:
            yield f"the class '{type(field).__qualname__}' of a parameter"
        elif type(field.field_info) in PARAMETER_MARKERS:
            own = set(vars(field.field_info)) - _MARKER
            yield from (f"the attribute '{name}' of a parameter" for name in sorted(own))


def _unknown_fields() -> Iterator[str]:
    for path, known in _FIELDS.items():
        found = _object(path)
        if not is_dataclass(found):
            yield f"'{path}', which is no dataclass"
            continue
        names = {field.name for field in fields(found)}
        yield from (f"the field '{name}' of '{path}'" for name in sorted(names - known))
        missing = known - names - _NOT_EVERYWHERE
        yield from (f"'{path}' without a field '{name}'" for name in sorted(missing))


def _unknown_signatures() -> Iterator[str]:
    for path, known in _SIGNATURES.items():
        function = _object(path)
        if function is None:
            yield f"FastAPI without '{path}'"
        elif (found := signature_of(function)) not in known:
            yield f"the signature '{found}' of '{path}'"


def signature_of(function: Any) -> str:
    """Return the names and kinds of the parameters of `function`, as its `def` would write them."""
    try:
        said = signature(function)
    except (TypeError, ValueError):
        return "none"
    bare = [
        parameter.replace(annotation=Parameter.empty, default=Parameter.empty)
        for parameter in said.parameters.values()
    ]
    return str(said.replace(parameters=bare, return_annotation=Parameter.empty))


def _unknown_names() -> Iterator[str]:
    for path, known in _NAMES.items():
        code = getattr(_object(path), "__code__", None)
        if code is None:
            yield f"'{path}', which is not written in Python"
            continue
        # What a decorator has put around it calls it as a variable of its own.
        names = {*_names_of(code), *code.co_freevars} - set(known.split())
        yield from (f"'{name}' in the code of '{path}'" for name in sorted(names))


def _names_of(code: CodeType) -> set[str]:
    """Return the globals and attributes that `code` uses, and the functions in it."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    # From Python 3.14 on, annotations have code of their own.
    found = [_names_of(each) for each in inner if each.co_name != "__annotate__"]
    return set(code.co_names).union(*found)


def _object(path: str) -> Any:
    """Return what is at `path`, or `None`."""
    with suppress(AttributeError, ImportError):
        return resolve_name(path)
    return None


_MODEL_FIELD = _object("fastapi._compat.ModelField")
