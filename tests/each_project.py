"""How can many small projects run commands without waiting for imports each time?

`python -m tests.each_project COMMANDS DIRECTORY...` imports Django and FastAPI once, and forks
itself for each project and each of the commands, names of `COMMANDS` with commas between. What they
print goes to the file `output` of the project's directory, the last line of which is `SUCCESS` if
all went well.
"""

import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

# What takes long and needs no settings.
import django.db.models
import django.test  # noqa: F401
import fastapi.testclient  # noqa: F401
from django.core.management import execute_from_command_line

import django_mullet

__all__ = ["COMMANDS", "SUCCESS", "environment", "run_in_each"]

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 300  # seconds


COMMANDS = {
    "check": ["check", "--fail-level", "WARNING"],
    "makemigrations": ["makemigrations"],
    "test": ["test"],
    "test-on-sqlite": ["test", "--settings", "project.settings_for_tests"],
}
SUCCESS = "All went well."


def environment() -> dict[str, str]:
    """Return the variables for a process of a project, which has settings of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COV_", "COVERAGE_")) and name != "DJANGO_SETTINGS_MODULE"
    }
    return {**kept, "PYTHONPATH": str(Path(django_mullet.__file__).parent.parent)}


def run_in_each(commands: str, projects: Sequence[Path]) -> None:
    """Run `commands`, separated by commas, in each of `projects`, in a process of their own."""
    subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.each_project", commands, *map(str, projects)],
        cwd=ROOT,
        env=environment(),
        check=True,
        timeout=TIMEOUT,
    )


def package_of(project: Path) -> str:
    """Return the name of the package with the settings."""
    [settings] = project.glob("*/settings.py")
    return settings.parent.name


def run(project: Path, command: list[str], output: int) -> bool:
    """Run `command` for `project` in a child process; return whether it went well."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    went_well = False
    try:
        os.dup2(output, sys.stdout.fileno())
        os.dup2(output, sys.stderr.fileno())
        os.chdir(project)
        sys.path.insert(0, str(project))
        os.environ["DJANGO_SETTINGS_MODULE"] = f"{package_of(project)}.settings"
        print("$ manage.py", *command, flush=True)
        execute_from_command_line(["manage.py", *command])
        went_well = True
    except SystemExit as stop:
        went_well = not stop.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(not went_well)


def main() -> None:
    names, *projects = sys.argv[1:]
    commands = [COMMANDS[name] for name in names.split(",")]
    for project in map(Path, projects):
        with (project / "output").open("wb", buffering=0) as output:
            if all(run(project, command, output.fileno()) for command in commands):
                output.write(f"{SUCCESS}\n".encode())


if __name__ == "__main__":
    main()
