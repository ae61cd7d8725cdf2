#!/usr/bin/env python3
"""Change a module a bit at a time, in a copy, and list the changes that no test notices.

A mutant is the module with one change by an operator of cosmic-ray. Those that only differ in
an annotation, that are no Python or that are the same as another one are left out. Each is
tried in a process forked from this one, which has imported what the tests need already, until
a test fails, one of them takes as long as all take without a change, or all take thrice as long.
"""

import argparse
import ast
import gc
import os
import random
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from difflib import ndiff
from importlib import import_module
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("src", "django_mullet")

MODULES = [
    "error_handling.commit_guard",
    "error_handling.service_unavailable",
    "execution.connection_share",
    "execution.connection_slots",
    "execution.connections",
    "execution.execution",
    "execution.handoff_state",
    "execution.job_queue",
    "execution.orm_calls",
    "execution.outcomes",
    "execution.request_connections",
    "execution.silent_rollback",
    "execution.stall_watcher",
    "execution.worker_calls",
    "execution.worker_connection",
    "execution.worker_lease",
    "execution.workers",
    "fields.nullability",
    "routing.connection_per",
    "routing.request_run",
    "routing.route",
    "streaming.bodies",
    "streaming.delayed_headers",
]
"""What is tried where nothing is named."""

NEIGHBOURS = {
    "error_handling": ["routing", "execution"],
    "execution": ["routing", "streaming"],
    "routing": ["execution", "dependencies", "middleware", "streaming"],
    "streaming": ["execution", "routing"],
}
"""Packages whose tests concern the modules of a package, too."""


PRELOADED = [
    "django.contrib.admin",
    "django.core.management.commands.flush",
    "django.core.management.commands.migrate",
    "django.db.backends.sqlite3.base",
    "django.test",
    "fastapi.testclient",
    "httpx",
    "pytest",
    "uvicorn",
]

AT_LEAST = 10.0
"""Seconds that a test has in any case; the slowest takes two."""

SURVIVED, KILLED, TIMEOUT = "survived", "killed", "timeout"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change."""

    number: int
    operator: str
    code: str

    @property
    def family(self) -> str:
        """What the operator does, whatever it does it with."""
        return self.operator.split("_")[0]


def tests_of(module: str) -> list[str]:
    """Return the files and folders of tests for `module`, the likeliest to fail first."""
    package, _, name = module.rpartition(".")
    own = Path("tests", package, f"test_{name}.py")
    folders = [Path("tests", each) for each in [package, *NEIGHBOURS.get(package, [])]]
    return [str(path) for path in (own, *folders) if path.exists()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"as in {MODULES[0]}; by default {len(MODULES)}")
    parser.add_argument("--sample", type=int, help="how many mutants of each; by default all")
    parser.add_argument("--seed", type=int, default=1, help="which ones are sampled")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of mutants, of one module")
    options = parser.parse_args()
    for name in PRELOADED:
        import_module(name)
    gc.freeze()  # pytest collects garbage twice: not in all this
    with TemporaryDirectory() as copy:
        prepare(Path(copy))
        for module in options.modules or MODULES:
            path = PACKAGE / f"{module.replace('.', '/')}.py"
            source = path.read_text()
            mutants = list(mutants_of(source))
            chosen = sampled(mutants, options.sample, options.seed)
            if options.only:
                chosen = [mutant for mutant in mutants if mutant.number in options.only]
            report(module, len(mutants), try_all(path, source, chosen, tests_of(module)))
    return 0


def prepare(copy: Path) -> None:
    """Make `copy` the working directory, with what the tests need, imported from there."""
    for name in ("src", "tests", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    os.chdir(copy)
    paths = [str(copy / "src"), str(copy)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield the mutants of `source`, always in the same order."""
    seen = {without_annotations(source)}
    numbers = count(1)
    for name in sorted(operator_names()):
        kind = get_operator(name)
        if kind.arguments():
            continue
        for occurrence in count():
            code = mutate_code(source, kind(), occurrence)
            if code is None:
                break
            try:
                meaning = without_annotations(code)
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                yield Mutant(next(numbers), name.removeprefix("core/"), code)


def without_annotations(source: str) -> str:
    """Return the syntax tree of `source`; raise `SyntaxError` if that cannot be compiled."""
    tree = ast.parse(source)
    with warnings.catch_warnings(action="ignore"):
        compile(source, "mutant", "exec", dont_inherit=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return ast.dump(tree)


def sampled(mutants: list[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """Return `size` of `mutants` at random, of each family its share."""
    if size is None or size >= len(mutants):
        return mutants
    chance = random.Random(seed)
    ordered = sorted(mutants, key=lambda mutant: (mutant.family, chance.random()))
    start = chance.random()
    chosen = [ordered[int((place + start) * len(ordered) / size)] for place in range(size)]
    chance.shuffle(chosen)  # so that a run that is ended early has tried a sample, too
    return chosen


def try_all(
    path: Path, source: str, mutants: list[Mutant], tests: list[str]
) -> list[tuple[Mutant, str]]:
    """Return what became of each mutant; print it too."""
    write_bytecode(True)
    clean_time(tests)
    clean = clean_time(tests)
    print(f"{path}: {len(mutants)} mutants; without a change: {clean:.0f} s", flush=True)
    # Two changes within a second may be of the same size: bytecode would hide the second.
    for bytecode in path.parent.glob(f"__pycache__/{path.stem}.*"):
        bytecode.unlink()
    write_bytecode(False)
    outcomes = []
    for mutant in mutants:
        path.write_text(mutant.code)
        outcome, by = outcome_of(tests, clean)
        outcomes.append((mutant, outcome))
        print(f"\n{mutant.number} {mutant.operator} {outcome} {by}")
        print(difference(source, mutant.code), flush=True)
    path.write_text(source)
    return outcomes


def write_bytecode(wanted: bool) -> None:
    sys.dont_write_bytecode = not wanted
    os.environ["PYTHONDONTWRITEBYTECODE"] = "" if wanted else "1"


def clean_time(tests: list[str]) -> float:
    """Return the seconds that the tests need for the module as it is; fail if they fail."""
    begin = time.monotonic()
    outcome, by = outcome_of(tests, 300.0)
    if outcome != SURVIVED:
        raise SystemExit(f"The tests fail without any change: {by}.")
    return time.monotonic() - begin


def outcome_of(tests: list[str], clean: float) -> tuple[str, str]:
    """Run `tests` until one fails; return what became of the mutant, and the test that failed."""
    output = Path("output.txt")
    child = os.fork()
    if not child:
        os.setsid()
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        run_tests(tests, max(AT_LEAST, clean))
    deadline = time.monotonic() + max(AT_LEAST, 3 * clean)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # with the processes that it has left behind
    if not done:
        os.waitpid(child, 0)
        return TIMEOUT, ""
    if status == 0:
        return SURVIVED, ""
    text = output.read_text()
    if "Timeout (0:" in text:  # says faulthandler
        return TIMEOUT, ""
    lines = text.splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR", "E  "))]
    return KILLED, failed[-1] if failed else f"status {status}"


def run_tests(tests: list[str], longest: float) -> None:
    """Run `tests` in this process, and end it; also if one takes longer than `longest` seconds."""
    import pytest

    options = ["-qx", "--no-migrations", "-p", "pytest_django.plugin", "-p", "no:cacheprovider"]
    options += ["-o", f"faulthandler_timeout={longest}", "-o", "faulthandler_exit_on_timeout=true"]
    status = 1
    try:
        status = int(pytest.main([*options, *tests]))
    finally:
        sys.stdout.flush()
        os._exit(status)


def difference(source: str, code: str) -> str:
    lines = ndiff(source.splitlines(), code.splitlines())
    return "\n".join(line for line in lines if line[0] in "+-")


def report(module: str, size: int, outcomes: list[tuple[Mutant, str]]) -> None:
    """Print how many mutants were killed, in all and of each family."""
    counts = Counter(outcome for _, outcome in outcomes)
    dead = counts[KILLED] + counts[TIMEOUT]
    print(
        f"\n{module}: {size} mutants, {len(outcomes)} tried, {dead} killed"
        f" ({counts[TIMEOUT]} by timeout): {100 * dead / len(outcomes):.0f} %"
    )
    families = Counter(mutant.family for mutant, _ in outcomes)
    alive = Counter(mutant.family for mutant, outcome in outcomes if outcome == SURVIVED)
    for family, tried in families.most_common():
        print(f"    {family}: {tried - alive[family]} of {tried}")
    survivors = [str(mutant.number) for mutant, outcome in outcomes if outcome == SURVIVED]
    print(f"    survived: {' '.join(survivors) or 'none'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
