"""Are the distributions in two directories the same, byte for byte?

`python scripts/same_dist.py FIRST SECOND` prints the SHA-256 of each, as `sha256sum` does. Where
two differ, it names what differs within them, and fails.
"""

import hashlib
import sys
import tarfile
import zipfile
from pathlib import Path


def main(first: Path, second: Path) -> str | None:
    names = [{path.name for path in found(directory)} for directory in (first, second)]
    differences = [f"{name}: made once only" for name in sorted(names[0] ^ names[1])]
    for name in sorted(names[0] & names[1]):
        print(f"{digest((first / name).read_bytes())}  {name}")
        differences += [f"{name}: {what}" for what in differing(first / name, second / name)]
    if not names[0]:
        return f"There is no distribution in {first}."
    if differences:
        return "\n".join(["Two builds of the same files differ:", *differences])
    return None


def found(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.name.endswith((".whl", ".tar.gz"))]


def differing(first: Path, second: Path) -> list[str]:
    """Return the files in the archives that differ, in content, mode, time or owner."""
    if first.read_bytes() == second.read_bytes():
        return []
    ours, theirs = members(first), members(second)
    names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    return names or ["the archive itself: the order of its files, or its header"]


def members(archive: Path) -> dict[str, tuple[object, ...]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {
                info.filename: (info.external_attr, info.date_time, digest(wheel.read(info)))
                for info in wheel.infolist()
            }
    with tarfile.open(archive) as sdist:
        return {
            info.name: (info.mode, info.mtime, info.uid, info.gid, info.uname, content(sdist, info))
            for info in sdist.getmembers()
        }


def content(sdist: tarfile.TarFile, info: tarfile.TarInfo) -> str:
    file = sdist.extractfile(info)
    return info.linkname if file is None else digest(file.read())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
