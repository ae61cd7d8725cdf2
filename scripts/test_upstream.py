#!/usr/bin/env python3
"""Run FastAPI's own tests twice, with its route class and with ours, and compare the outcomes.

The tests are those of the source distribution of the FastAPI release that the requirements
file names and the environment has. A test whose outcome differs is run once more, alone, since
some have time limits. Exit status 1 if what differs then is not what `DEVIATIONS` lists.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = ROOT / "scripts" / "upstream"
BUILD = ROOT / "build" / "upstream"
DEVIATIONS = PLUGINS / "deviations"
PROCESSES = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", type=Path, help="the file that pins FastAPI with hashes")
    parser.add_argument("tests", nargs="*", default=["tests"], help="which tests, all by default")
    options = parser.parse_args()
    requirement = pinned_fastapi(options.requirements.read_text())
    source = BUILD / f"fastapi-{version('fastapi')}"
    if not source.exists():
        unpack(requirement, source)
    plain, left_out = run_tests(source, "APIRoute", options.tests)
    ours, _ = run_tests(source, "DjangoRoute", options.tests)
    if again := deviating(plain, ours):
        for outcomes, route_class in ((plain, "APIRoute"), (ours, "DjangoRoute")):
            outcomes |= run_tests(source, route_class, again, processes=0)[0]
    return compare(plain, ours, left_out)


def deviating(plain: dict[str, str], ours: dict[str, str]) -> list[str]:
    """Return the ids of the tests with different outcomes."""
    return sorted(test for test in plain.keys() | ours.keys() if plain.get(test) != ours.get(test))


def pinned_fastapi(requirements: str) -> str:
    """Return the requirement of FastAPI with its hashes, one of which is the sdist's."""
    found = re.search(
        r"^fastapi==(\S+) \\\n(?: +--hash=\S+(?: \\)?\n)+", requirements, re.MULTILINE
    )
    if found is None or found[1] != version("fastapi"):
        sys.exit(f"The environment has FastAPI {version('fastapi')}, the requirements file not.")
    return found[0]


def unpack(requirement: str, source: Path) -> None:
    """Download the source distribution and unpack it, without the package itself."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=BUILD) as work:
        pinned = Path(work, "requirements.txt")
        pinned.write_text(requirement)
        options = "--quiet --require-hashes --no-deps --no-build-isolation --no-binary fastapi"
        download = [sys.executable, "-m", "pip", "download", *options.split()]
        subprocess.run([*download, "--dest", work, "-r", pinned], check=True)
        (archive,) = Path(work).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(work, filter="data")
        # The tests are to import the FastAPI that is installed.
        shutil.rmtree(Path(work, source.name, "fastapi"))
        Path(work, source.name).rename(source)


def run_tests(
    source: Path, route_class: str, tests: list[str], *, processes: int = PROCESSES
) -> tuple[dict[str, str], list[str]]:
    """Return the outcome of each test, and the ids of those that were left out."""
    print(f"== FastAPI {version('fastapi')}, its tests with {route_class}", flush=True)
    found = BUILD / f"{source.name}-{route_class}.json"
    found.unlink(missing_ok=True)
    # The plugin of pytest in the first, `sitecustomize` for it and its children in the second.
    path = [PLUGINS / "plugin", *([PLUGINS / "site"] if route_class == "DjangoRoute" else [])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "UPSTREAM_ROUTE_CLASS": route_class,
        "UPSTREAM_OUTCOMES": str(found),
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "--tb=native",
        "--no-header",
        "-o",
        "timeout=120",
    ]
    command += ["-p", "outcomes", "-p", "no:cacheprovider", "-n", str(processes)]
    # Pydantic imports logfire, a plugin of its own, when FastAPI is imported before pytest looks.
    command += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
    began = time.monotonic()
    status = subprocess.run([*command, *tests], cwd=source, env=environment).returncode
    print(f"== took {time.monotonic() - began:.0f} s", flush=True)
    if status not in (0, 1) or not found.exists():  # not just passed, or failed
        sys.exit(f"pytest ended with status {status}.")
    report = json.loads(found.read_text())
    return report["outcomes"], report["left_out"]


def compare(plain: dict[str, str], ours: dict[str, str], left_out: list[str]) -> int:
    """Print what differs and how many of each there are; return the exit status."""
    found = deviating(plain, ours)
    listed = {line for line in DEVIATIONS.read_text().splitlines() if line and line[0] != "#"}
    print()
    for test in found:
        known = " (listed)" if test in listed else ""
        print(f"{test}: {plain.get(test, 'missing')}, with DjangoRoute {ours.get(test)}{known}")
    for name, outcomes in (("APIRoute", plain), ("DjangoRoute", ours)):
        counts = ", ".join(f"{count} {what}" for what, count in Counter(outcomes.values()).items())
        print(f"{name}: {counts}")
    print(f"{len(left_out)} tests left out, which need trio")
    gone = sorted(listed & plain.keys() - set(found))
    for test in gone:
        print(f"{test}: listed in {DEVIATIONS.name}, and deviates no longer")
    print(f"{len(found)} of {len(plain)} tests deviate, {len(listed & set(found))} of them listed")
    return 1 if gone or set(found) - listed else 0


if __name__ == "__main__":
    sys.exit(main())
