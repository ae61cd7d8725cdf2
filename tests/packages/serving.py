"""How do tests serve the project as a server does, with a database of its own?"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
USER, PASSWORD = "goat", "correct horse"


@contextmanager
def serving(directory: Path, command: list[str], **environment: str) -> Iterator[str]:
    """Yield the address where `command`, of a Python module, serves; `USER` may log in."""
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "SQLITE_FILE": str(directory / "db.sqlite3"),
        "STATIC_ROOT": str(directory),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONUNBUFFERED": "1",
        **environment,
    }
    user = ["createsuperuser", "--noinput", "--username", USER, "--email", "goat@example.org"]
    for manage in (["migrate", "--run-syncdb"], user, ["collectstatic", "--noinput"]):
        django = [sys.executable, "-m", "django", *manage, "--verbosity", "0"]
        subprocess.run(django, env=variables, cwd=HERE, check=True)
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=variables, cwd=HERE, stdout=output, stderr=output
        )
    try:
        while not (address := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield address[0]
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert "Traceback" not in log.read_text(), log.read_text()
