"""The autoreloader of `manage.py runserver`, which survives mistakes in the code.

Django's autoreloader watches the modules that have been imported, and after a failure the file in
which an exception was raised. That is not always the one with the mistake: what FastAPI or Pydantic
refuses is raised in their files, a module that is missing has none, and a mistake in the settings
ends the whole command. So a process that cannot start tells why and ends, and the one that has
started it waits until any file of the project changes.
"""

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM, signal
from time import sleep, time
from typing import Any, NoReturn

from django.apps import apps
from django.core.management.base import CommandError
from django.utils import autoreload

from django_mullet.source_location import is_of_project

__all__ = ["end_without_apps", "is_reloaded", "run_with_reloader", "stamps"]

FAILED = 4
"""What a process ends with that could not start the server; 3 is Django's for another start."""

_SUFFIXES = {".py", ".env", ".toml", ".json", ".yaml", ".yml", ".ini", ".cfg"}
_INTERVAL = 0.3  # seconds; Django looks once a second

Stamps = dict[str, float]


def is_reloaded() -> bool:
    """Return whether this is the process that Django's autoreloader has started."""
    return os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true"


def end_without_apps(**kwargs: Any) -> None:
    """End this process if no app could be loaded: then the command is Django's own `runserver`."""
    if not apps.ready_event.is_set():
        _end()


def run_with_reloader(main: Callable[..., None], **options: Any) -> None:
    """Run `main` as Django's function of this name does, but for what follows a mistake."""
    if is_reloaded():
        autoreload.run_with_reloader(_telling(main), **options)
        return
    signal(SIGTERM, lambda *args: sys.exit(0))
    with suppress(KeyboardInterrupt):
        sys.exit(_keep_running())


def _telling(main: Callable[..., None]) -> Callable[..., None]:
    def run(*args: Any, **options: Any) -> None:
        try:
            main(*args, **options)
        except (Exception, SystemExit) as error:
            _tell(error)
            _end()

    return run


def _tell(error: BaseException) -> None:
    if isinstance(error, CommandError):
        sys.stderr.write(f"{error}\n")
    elif not isinstance(error, SystemExit) or not isinstance(error.code, int):
        traceback.print_exception(error)


def _end() -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(FAILED)  # as `sys.exit()` would end this thread alone


def _keep_running() -> int:
    """Start the server again and again; return what the process ended with that is to be last."""
    while True:
        started = time()
        code = autoreload.restart_with_reloader()
        failed = stamps()
        # Django's own 1 may tell that the port is in use. After a change it is a mistake in the
        # settings, by which Django ends before any command begins.
        if code != FAILED and (code != 1 or max(failed.values(), default=0) < started):
            return code
        sys.stderr.write("Waiting for a change of the project's files.\n")
        sys.stderr.flush()
        while stamps() == failed:
            sleep(_INTERVAL)


def stamps() -> Stamps:
    """Return when each file of the project was last changed."""
    return {file: stamp for root in _roots() for file, stamp in _below(root)}


def _roots() -> list[Path]:
    """Return the folders that modules of the project may be in, none below another."""
    paths = {Path.cwd(), *(Path(path or ".").resolve() for path in sys.path)}
    roots: list[Path] = []
    for path in sorted(path for path in paths if path.is_dir() and is_of_project(path)):
        if not any(map(path.is_relative_to, roots)):
            roots.append(path)
    return roots


def _below(root: Path) -> Iterator[tuple[str, float]]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if _is_watched(Path(folder, name))]
        for name in files:
            file = Path(folder, name)
            if file.suffix in _SUFFIXES or name.startswith(".env"):
                try:
                    yield str(file), file.stat().st_mtime
                except OSError:
                    continue  # as the temporary file of an editor


def _is_watched(folder: Path) -> bool:
    is_environment = (folder / "pyvenv.cfg").exists()
    return not is_environment and folder.name[0] != "." and folder.name != "node_modules"
