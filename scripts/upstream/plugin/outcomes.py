"""A pytest plugin, with xdist: leave trio's tests out, and write each other's outcome to a file.

Django knows asyncio only. A test is trio's if it has a parameter `trio` or asks anyio for trio.
"""

import inspect
import json
import os
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

_GRAVER_LAST = ("passed", "skipped", "xfailed", "failed")

_outcomes: dict[str, str] = {}
_left_out: list[str] = []


def pytest_sessionstart() -> None:
    """Fail unless the run is of the route class that it claims to be of."""
    found = FastAPI().router.route_class.__name__
    expected = os.environ["UPSTREAM_ROUTE_CLASS"]
    if found != expected:
        raise pytest.UsageError(f"The default route class is {found}, not {expected}.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the tests that need trio."""
    _left_out[:] = [item.nodeid for item in items if _needs_trio(item)]
    items[:] = [item for item in items if item.nodeid not in set(_left_out)]


def _needs_trio(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec is not None and "trio" in callspec.params.values():
        return True
    return 'backend="trio"' in inspect.getsource(getattr(item, "function", item.__class__))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the gravest outcome of a test's setup, call and teardown."""
    outcome: str = "xfailed" if hasattr(report, "wasxfail") else report.outcome
    before = _outcomes.get(report.nodeid, "passed")
    _outcomes[report.nodeid] = max(before, outcome, key=_GRAVER_LAST.index)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the controller: learn what a worker has left out."""
    _left_out[:] = getattr(node, "workeroutput", {}).get("left_out", _left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker, tell the controller what was left out; in the controller, write the file."""
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput["left_out"] = _left_out
        return
    found = {"outcomes": _outcomes, "left_out": _left_out}
    Path(os.environ["UPSTREAM_OUTCOMES"]).write_text(json.dumps(found))
