"""How are instructions counted? By valgrind's callgrind, between two marks.

The marks are valgrind's client requests, for which its header has macros: four lines of C.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["UnavailableError", "count"]

MARKS = """
#include <valgrind/callgrind.h>
void start(void) { CALLGRIND_START_INSTRUMENTATION; }
void stop(const char *name) { CALLGRIND_DUMP_STATS_AT(name); CALLGRIND_STOP_INSTRUMENTATION; }
"""
ROOT = Path(__file__).parents[2]
PATH = [
    ROOT,
    ROOT / "src",
    *(ROOT / "benchmarks" / "peers" / name for name in ("shared", "mullet")),
]
NAME = re.compile(r"^desc: Trigger: Client Request: (.*)$", re.MULTILINE)
COUNT = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class UnavailableError(Exception):
    """Nothing can be counted here; the message says what is missing."""


def count() -> dict[str, int]:
    """Return how many instructions each workload takes.

    Raises `UnavailableError` without valgrind or a C compiler.
    """
    for program in ("valgrind", "cc"):
        if shutil.which(program) is None:
            raise UnavailableError(f"'{program}' is not installed")
    with tempfile.TemporaryDirectory(prefix="instructions-") as name:
        directory = Path(name)
        run(build(directory), directory)
        return dict(map(parse, sorted(directory.glob("counts.*"))))


def build(directory: Path) -> Path:
    source, library = directory / "marks.c", directory / "marks.so"
    source.write_text(MARKS)
    command: list[str | Path] = ["cc", "-shared", "-fPIC", "-O1", "-o", library, source]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise UnavailableError(f"valgrind's headers are not installed:\n{process.stderr}")
    return library


def run(library: Path, directory: Path) -> None:
    command: list[str | Path] = [
        *("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"),
        f"--callgrind-out-file={directory}/counts",
        *(sys.executable, "-m", "benchmarks.instructions.workloads", library),
    ]
    environment = {
        **os.environ,
        "INSTRUCTIONS_DATABASE": str(directory / "db.sqlite3"),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(map(str, PATH)),
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    subprocess.run(command, env=environment, cwd=directory, check=True)


def parse(path: Path) -> tuple[str, int]:
    text = path.read_text()
    name, total = NAME.search(text), COUNT.search(text)
    assert name is not None
    assert total is not None
    return name[1], int(total[1])
