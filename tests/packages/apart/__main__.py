"""Run the tests of each package in a process and with settings of its own, two at a time.

`python -m apart` runs all of them, `python -m apart django_silk django_cte` those, and from the
first argument with a dash on, all goes to pytest. What a package needs stands in its `__init__.py`:
see README.md. With `DATABASE=postgres` in the environment, all of them need PostgreSQL.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import django

from apart.services import SERVICES

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Package:
    """A directory of tests, and what its `__init__.py` says of them."""

    name: str
    needs: set[str]
    below_django: tuple[int, int] | None
    warnings: tuple[str, ...]

    @classmethod
    def named(cls, name: str) -> "Package":
        if name not in all_names():
            sys.exit(f"There is no {name}; choose of: {', '.join(all_names())}.")
        module = import_module(f"apart.{name}")
        needs = {*getattr(module, "NEEDS", ()), *os.environ.get("DATABASE", "").split()}
        if unknown := needs - set(SERVICES):
            sys.exit(f"{name}: NEEDS may have {', '.join(SERVICES)}, not {', '.join(unknown)}.")
        below_django = getattr(module, "BELOW_DJANGO", None)
        return cls(name, needs, below_django, getattr(module, "WARNINGS", ()))

    @property
    def runs(self) -> bool:
        """Whether the package supports this Django."""
        return self.below_django is None or self.below_django > django.VERSION


@dataclass(frozen=True, slots=True)
class Outcome:
    package: Package
    passed: bool
    seconds: float


def all_names() -> list[str]:
    return sorted(settings.parent.name for settings in HERE.glob("*/settings.py"))


def run(package: Package, addresses: dict[str, str], options: Sequence[str]) -> Outcome:
    """Run the tests of `package`, and print how that went."""
    start = time.monotonic()
    variables = {service.variable for service in SERVICES.values()}
    environment = {name: value for name, value in os.environ.items() if name not in variables}
    environment["DJANGO_SETTINGS_MODULE"] = f"apart.{package.name}.settings"
    environment |= {SERVICES[need].variable: addresses[need] for need in package.needs}
    # From where the directories are no modules of their own, as one may have a package's name; and
    # without the plugin of logfire, which is not what is tested.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:logfire"]
    command += ["-c", "apart/pyproject.toml", f"apart/{package.name}"]
    command += [part for warning in package.warnings for part in ("-W", warning)]
    done = subprocess.run(
        [*command, *options],
        cwd=HERE.parent,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode == 0:
        print(f"{package.name}: {done.stdout.splitlines()[-1]}", flush=True)
    else:
        print(f"\n== {package.name}\n{done.stdout}", flush=True)
    return Outcome(package, done.returncode == 0, time.monotonic() - start)


def run_all(packages: Sequence[Package], options: Sequence[str]) -> list[Outcome]:
    """Run the tests of all `packages`, with the servers that they need."""
    needed = {need for package in packages for need in package.needs}
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        addresses = {need: stack.enter_context(SERVICES[need].running()) for need in needed}
        return list(pool.map(lambda package: run(package, addresses, options), packages))


def main(arguments: Sequence[str]) -> int:
    """Run the tests that `arguments` name, and return the exit code."""
    names = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    options = arguments[len(names) :]
    packages = [Package.named(name) for name in names or all_names()]
    for package in packages:
        if not package.runs:
            print(f"{package.name}: not run, as it is not ready for Django {django.__version__}")
    outcomes = run_all([package for package in packages if package.runs], options)
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.seconds)[:5]:
        print(f"{outcome.seconds:6.1f} s  {outcome.package.name}")
    failed = [outcome.package.name for outcome in outcomes if not outcome.passed]
    passed = len(outcomes) - len(failed)
    print(f"{passed} packages passed, {len(failed)} failed{':' if failed else ''}", *failed)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
