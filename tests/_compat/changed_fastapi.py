"""FastAPI as it might become: its source, changed in one place each, and what comes of it here.

`python -m tests._compat.changed_fastapi` writes that as JSON, by the names of the changes. Each
has a process of its own, forked from one that has imported all the rest.
"""

import json
import logging
import os
import re
import shutil
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

COUNTED = r"""
def _counted(function):
    import functools

    @functools.wraps(function)
    def counted(*args, **kwargs):
        return function(*args, **kwargs)

    return counted


@_counted
def request_params_to_args("""
"""What an instrument puts around a function of FastAPI's."""

IN_ADVANCE = ("django.test", "httpx", "hypothesis", "pydantic", "pytest", "starlette.testclient")
"""What needs no FastAPI, and takes longest."""

HANDLER = "    async def app(request: Request) -> Response:\n"

CHANGES: dict[str, list[tuple[str, str, str]]] = {
    "nothing": [],
    "field of Dependant": [
        (
            "dependencies/models.py",
            r"(    path: str \| None = None\n)",
            r"\1    priority: int = 0\n",
        )
    ],
    "derived field of Dependant": [
        (
            "dependencies/models.py",
            r"(    path: str \| None = None\n)",
            r"\1    derived: int = field(init=False, default=0)\n",
        )
    ],
    "field of ModelField": [
        (
            "_compat/v2.py",
            r"(    config: ConfigDict \| None = None\n)",
            r"\1    trim: bool = False\n",
        )
    ],
    "attribute of parameters": [
        (
            "params.py",
            r"(        self.include_in_schema = include_in_schema\n)",
            r"\1        self.any_case = False\n",
        )
    ],
    "scope of dependencies": [
        (
            "dependencies/utils.py",
            r"(        scope=)(depends\.scope|scope),\n",
            r'\1"connection",\n',
        )
    ],
    "argument of solve_dependencies": [
        (
            "dependencies/utils.py",
            r"(    embed_body_fields: bool,\n)(    _uses_scopes_cache)",
            r"\1    trace: bool = False,\n\2",
        )
    ],
    "argument of run_endpoint_function": [
        (
            "routing.py",
            r"(dependant: Dependant, values: dict\[str, Any\], is_coroutine: bool)",
            r"\1, limit: int = 0",
        )
    ],
    "argument of serialize_response": [
        ("routing.py", r"(    dump_json: bool = False,\n)", r"\1    audience: str = '',\n")
    ],
    "variable of the handler": [
        ("routing.py", f"({re.escape(HANDLER)})", r"    audit = status_code\n\1        audit\n")
    ],
    "variable with the callable": [
        (
            "routing.py",
            f"({re.escape(HANDLER)})",
            r"    call = functools.partial(lambda: [dependant.call])\n\1        call\n",
        )
    ],
    "variable with a list of the callable": [
        (
            "routing.py",
            f"({re.escape(HANDLER)})",
            r"    steps = [dependant.call]\n\1        steps\n",
        )
    ],
    "what the handler does": [
        (
            "routing.py",
            r"(        # Return response\n        assert response\n)",
            r"\1        response.init_headers({'x-new': 'yes'})\n",
        )
    ],
    "what reads the body": [
        (
            "dependencies/utils.py",
            r"(async def request_body_to_args\((?:.|\n)*?-> .*:\n)",
            r"\1    hash(received_body) if isinstance(received_body, str) else None\n",
        )
    ],
    "what is put around what reads the query": [
        (
            "dependencies/utils.py",
            r"\ndef request_params_to_args\(",
            COUNTED,
        )
    ],
    "name of the request's stack": [
        ("*", "fastapi_inner_astack", "fastapi_request_astack"),
    ],
    "name of a variable": [("*", r"\bis_json_stream\b", "is_jsonl_stream")],
    "name of the context": [("*", "_extract_endpoint_context", "_endpoint_context")],
    "argument of get_websocket_app": [
        ("routing.py", r"(def get_websocket_app\([^)]*)\) ->", r"\1    ping: float = 0,\n) ->")
    ],
}
"""Files of FastAPI's, what is in them, and what is to be there instead."""


def main() -> None:
    """Write what comes of each change."""
    for module in IN_ADVANCE:
        import_module(module)
    sys.stdout.write(json.dumps({name: outcome_in_a_process(name) for name in CHANGES}))


def outcome_in_a_process(name: str) -> Any:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "w") as pipe:
            json.dump(outcome(name), pipe)
            pipe.flush()
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said)


def outcome(name: str) -> dict[str, Any]:
    """Return what comes of a change: an error, or how routes answer, and what was logged."""
    lines: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("django_mullet.routing").addHandler(handler)
    with tempfile.TemporaryDirectory() as folder:
        change(name, Path(folder))
        sys.path.insert(0, folder)
        try:
            return {**answers(), "logged": lines}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}


def change(name: str, folder: Path) -> None:
    """Write FastAPI into `folder`, changed."""
    spec = find_spec("fastapi")
    assert spec is not None
    assert spec.origin is not None
    assert "fastapi" not in sys.modules
    root = folder / "fastapi"
    shutil.copytree(Path(spec.origin).parent, root, ignore=shutil.ignore_patterns("__pycache__"))
    for pattern, before, after in CHANGES[name]:
        files = [root / pattern] if pattern != "*" else sorted(root.rglob("*.py"))
        changed = 0
        for file in files:
            text, number = re.subn(before, after, file.read_text())
            file.write_text(text)
            changed += number
        assert changed, f"FastAPI has no {before!r} in {pattern}"


def answers() -> dict[str, Any]:
    """Return the paths of which the answers differ from FastAPI's, and those that are fast."""
    import django

    django.setup()
    import fastapi

    import django_mullet
    from tests.routing import test_fast_path as compared

    routers = django_mullet.APIRouter(), fastapi.APIRouter()
    ours, fastapi_s = (compared.Side(router) for router in routers)
    different = [
        [path, repr(ours.answer(path, **asked)), repr(fastapi_s.answer(path, **asked))]
        for path, asked in compared.ASKED
        if ours.answer(path, **asked) != fastapi_s.answer(path, **asked)
    ]
    paths = [getattr(route, "path", "") for route in routers[0].routes]
    plain = [path for path in paths if compared.handlers_of(routers[0], path)._plain]
    websocket(routers[0])
    return {"different": different, "plain": plain}


def websocket(router: Any) -> None:
    """Add a WebSocket's route, which makes its application."""

    @router.websocket("/socket")
    async def socket(websocket: Any) -> None: ...


if __name__ == "__main__":
    main()
