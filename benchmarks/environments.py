"""Which Python and which packages does a peer run on? In an environment of its own, pinned."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from benchmarks.peers import ROOT, Peer

__all__ = ["InstallationError", "find_python", "install", "python_of", "versions"]

ENVIRONMENTS = ROOT / ".venv-peers"
SUPPORTED = ("3.13", "3.12")  # django-bolt needs 3.12; everybody gets the same

VERSIONS = """
import json, platform, sys
from importlib.metadata import version
print(json.dumps({"python": platform.python_version()} | {n: version(n) for n in sys.argv[1:]}))
"""


class InstallationError(Exception):
    """A peer cannot be installed; the message says why."""


@cache
def find_python() -> str:
    """Return the Python for all peers: `PEERS_PYTHON`, or the newest supported one there is.

    Raises `InstallationError` if there is none.
    """
    if chosen := os.environ.get("PEERS_PYTHON"):
        return chosen
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for version in SUPPORTED:
        candidates = sorted(map(str, pyenv.glob(f"{version}.*/bin/python3")), reverse=True)
        for python in (shutil.which(f"python{version}"), *candidates):
            if python and runs(python):
                return python
    raise InstallationError(
        f"Python {' or '.join(SUPPORTED)} is needed: set PEERS_PYTHON to the path of one."
    )


def runs(python: str) -> bool:
    """Return whether there is a Python behind the name: pyenv has shims for those it hides."""
    return not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode


def python_of(peer: Peer) -> Path:
    """Return the Python of the peer's environment."""
    return ENVIRONMENTS / peer.installed_in / "bin" / "python"


def install(peer: Peer) -> None:
    """Make the peer's environment, unless it is there already.

    Raises `InstallationError` with what the installer has said.
    """
    requirements = peer.folder / "requirements.txt"
    directory = ENVIRONMENTS / peer.installed_in
    stamp = directory / "stamp"
    wanted = f"{find_python()}\n{requirements.read_text()}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    uv("venv", "--clear", "--python", find_python(), str(directory))
    install = ("pip", "install", "--require-hashes", "--requirement", str(requirements))
    uv(*install, "--python", str(python_of(peer)))
    stamp.write_text(wanted)


def uv(*arguments: str) -> None:
    command = ["uv", "--quiet", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise InstallationError(process.stderr.strip())


def versions(peer: Peer) -> dict[str, str]:
    """Return the versions of the peer's Python and of what it names."""
    command: list[str | Path] = [python_of(peer), "-c", VERSIONS, *peer.packages]
    found: dict[str, str] = json.loads(subprocess.check_output(command, text=True))
    return found
