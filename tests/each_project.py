"""How can many small projects run commands without waiting for imports each time?

`python -m tests.each_project DIRECTORY...` imports Django and FastAPI once, and forks itself for
each project and each command of `COMMANDS`. What they print goes to the file `output` of the
project's directory, the last line of which is `SUCCESS` if all went well.
"""

import os
import sys
import traceback
from pathlib import Path

# What takes long and needs no settings.
import django.db.models
import django.test  # noqa: F401
import fastapi.testclient  # noqa: F401
from django.core.management import execute_from_command_line

__all__ = ["COMMANDS", "SUCCESS"]

COMMANDS = [
    ["check", "--fail-level", "WARNING"],
    ["test", "--settings", "project.settings_for_tests"],
]
SUCCESS = "All went well."


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
        os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
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
    for project in map(Path, sys.argv[1:]):
        with (project / "output").open("wb", buffering=0) as output:
            if all(run(project, command, output.fileno()) for command in COMMANDS):
                output.write(f"{SUCCESS}\n".encode())


if __name__ == "__main__":
    main()
