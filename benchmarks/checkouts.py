"""Which other state of this library is measured? That of a git revision, or of a checkout."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import ROOT

__all__ = ["Checkout", "CheckoutError", "checkout", "this_checkout"]

LIBRARY = Path("src", "django_mullet")


class CheckoutError(Exception):
    """There is nothing to compare with; the message says what to give."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with the library in it, and how it is called in a report."""

    root: Path
    title: str


@contextmanager
def checkout(name: str) -> Iterator[Checkout]:
    """Yield the checkout at the path `name`, or a copy of the git revision `name`.

    The copy is gone afterwards. Raises `CheckoutError` if `name` is neither.
    """
    if Path(name, LIBRARY).is_dir():
        yield Checkout(Path(name).resolve(), f"{name} ({state(Path(name))})")
        return
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit is None:
        raise CheckoutError(
            f"'{name}' must be a git revision, or the path of a folder with '{LIBRARY}' in it."
        )
    with tempfile.TemporaryDirectory(prefix="mullet-", ignore_cleanup_errors=True) as directory:
        copy(commit, Path(directory))
        yield Checkout(Path(directory), f"{name} ({commit[:10]})")


def this_checkout() -> Checkout:
    """Return the checkout that this module is part of."""
    return Checkout(ROOT, f"this checkout ({state(ROOT)})")


def copy(commit: str, directory: Path) -> None:
    """Put the library and the code of the peers, as of `commit`, into `directory`."""
    wanted = [
        path
        for path in ("src", "benchmarks/peers")
        if git("cat-file", "-e", f"{commit}:{path}") is not None
    ]
    if "src" not in wanted:
        raise CheckoutError(f"The revision {commit} has no folder 'src'.")
    command = ["git", "archive", commit, *wanted]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(directory, filter="data")


def state(root: Path) -> str:
    """Return the commit at `root`, and whether there is more than that."""
    commit = git("rev-parse", "--short=10", "HEAD", root=root)
    if commit is None:
        return "no git repository"
    changed = git("status", "--porcelain", "--untracked-files=no", root=root)
    return f"{commit} and changes" if changed else commit


def git(*arguments: str, root: Path = ROOT) -> str | None:
    """Return what git says, or nothing if it fails."""
    command = ["git", *arguments]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return None if process.returncode else process.stdout.strip()
