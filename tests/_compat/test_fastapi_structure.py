"""Does FastAPI's own handler answer, where FastAPI has what the fast path does not know?"""

import json
import subprocess
import sys
from dataclasses import dataclass, field, make_dataclass
from types import SimpleNamespace
from typing import Any

import fastapi.routing
import pytest
from fastapi import params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant

from django_mullet._compat import fastapi_structure
from tests._compat.changed_fastapi import CHANGES


@pytest.fixture(scope="module")
def outcomes() -> Any:
    command = [sys.executable, "-m", "tests._compat.changed_fastapi"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_fastapi_as_it_is_has_its_fast_path(outcomes: Any) -> None:
    found = outcomes["nothing"]

    assert (found["different"], found["logged"]) == ([], [])
    assert found["plain"]


SLOWER = {
    "field of Dependant": "the field 'priority' of 'fastapi.dependencies.models.Dependant'",
    "field of ModelField": "the field 'trim' of 'fastapi._compat.ModelField'",
    "attribute of parameters": "the attribute 'any_case' of a parameter",
    "scope of dependencies": "the scope 'connection' of a dependency",
    "argument of solve_dependencies": "embed_body_fields, trace, _uses_scopes_cache",
    "argument of run_endpoint_function": "(*, dependant, values, is_coroutine, limit)",
    "argument of serialize_response": "endpoint_ctx, dump_json, audience)' of 'fastapi.routing.",
    "variable of the handler": "the variable 'audit' of FastAPI's request handler",
    "what the handler does": "'init_headers' in the code of FastAPI's request handler",
    "what reads the body": "'hash' in the code of 'fastapi.dependencies.utils.request_body",
    "what is put around what reads the query": "'function' in the code of 'fastapi.dependencies.ut",
}


@pytest.mark.parametrize(("change", "unknown"), SLOWER.items())
def test_what_fastapi_adds_has_its_own_handler_answer(
    outcomes: Any, change: str, unknown: str
) -> None:
    found = outcomes[change]
    [line] = found["logged"]

    assert found["different"] == []
    assert len(found["plain"]) < len(outcomes["nothing"]["plain"])
    assert unknown in line
    assert line.startswith(
        f"This release of django-mullet does not know all of FastAPI {fastapi.__version__}: "
    )


def test_a_route_without_what_is_unknown_is_fast(outcomes: Any) -> None:
    assert "/plain/none" in outcomes["attribute of parameters"]["plain"]
    assert outcomes["field of Dependant"]["plain"] == []


REFUSED = {
    "derived field of Dependant": "'fastapi.dependencies.models.Dependant'",
    "variable with the callable": "The variable 'call' of FastAPI's request handler",
    "variable with a list of the callable": "The variable 'steps' of FastAPI's request handler",
    "name of the request's stack": "'scope.fastapi_inner_astack'",
    "name of a variable": "'fastapi.routing.get_request_handler.is_json_stream'",
    "name of the context": "'fastapi.routing._extract_endpoint_context'",
    "argument of get_websocket_app": "'fastapi.routing.get_websocket_app'",
}


@pytest.mark.parametrize(("change", "named"), REFUSED.items())
def test_what_fastapi_takes_away_is_told_of_at_once(outcomes: Any, change: str, named: str) -> None:
    error = outcomes[change]["error"]

    assert error.startswith("UnsupportedFastAPI: ")
    assert named in error
    assert "Install a FastAPI release that this release of django-mullet supports" in error


def test_each_change_has_its_outcome() -> None:
    assert {"nothing", *SLOWER, *REFUSED} == CHANGES.keys()


def unknown() -> list[str]:
    return fastapi_structure.unknown_in_library.__wrapped__()


def test_a_field_that_is_gone_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    solved = make_dataclass("SolvedDependency", ["values", "errors", "response"])
    monkeypatch.setattr("fastapi.dependencies.utils.SolvedDependency", solved)

    assert unknown() == [
        "'fastapi.dependencies.utils.SolvedDependency' without a field 'background_tasks'",
        "'fastapi.dependencies.utils.SolvedDependency' without a field 'dependency_cache'",
    ]


def test_what_is_no_dataclass_any_more_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.dependencies.utils.SolvedDependency", SimpleNamespace)

    assert unknown() == ["'fastapi.dependencies.utils.SolvedDependency', which is no dataclass"]


def test_functions_that_are_gone_or_no_functions_are_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("fastapi.dependencies.utils._get_multidict_value")
    monkeypatch.setattr("fastapi.routing._build_response_args", object())

    assert unknown() == [
        "the signature 'none' of 'fastapi.routing._build_response_args'",
        "FastAPI without 'fastapi.dependencies.utils._get_multidict_value'",
        "'fastapi.routing._build_response_args', which is not written in Python",
        "'fastapi.dependencies.utils._get_multidict_value', which is not written in Python",
    ]


def endpoint(number: int, item: dict[str, int]) -> None: ...


def test_a_dependency_of_another_class_is_unknown() -> None:
    @dataclass
    class Other(Dependant):
        more: int = field(default=0)

    found = fastapi_structure.unknown_in_tree([Other(call=endpoint)])

    assert found == [
        "the class 'test_a_dependency_of_another_class_is_unknown.<locals>.Other' of a dependency"
    ]


def test_a_parameter_of_another_class_is_unknown() -> None:
    dependant = get_dependant(path="/", call=endpoint)
    dependant.query_params = [SimpleNamespace(field_info=params.Query())]  # type: ignore[list-item]

    assert fastapi_structure.unknown_in_tree([dependant]) == [
        "the class 'SimpleNamespace' of a parameter"
    ]


def test_a_marker_of_one_s_own_is_no_news_of_fastapi_s() -> None:
    class Own(params.Query):
        def __init__(self) -> None:
            super().__init__()
            self.more = True

    dependant = get_dependant(path="/", call=endpoint)
    dependant.query_params[0].field_info = Own()

    assert fastapi_structure.unknown_in_tree([dependant]) == []
