"""Is a project made from the template, and made well? `make template` runs what it makes."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from django_mullet.__main__ import Command
from tests.documentation import ROOT

TEMPLATE = ROOT / "src" / "django_mullet" / "codegen" / "project_template"
NOT_RENDERED = {"Makefile", "ci.yml", "default.conf"}


def files_of(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "django_mullet", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_project_has_every_file_of_the_template(tmp_path: Path) -> None:
    result = run("startproject", "mysite", str(tmp_path))

    assert (result.returncode, result.stderr) == (0, "")
    assert "make run" in result.stdout
    made = {
        name.replace("project_name", "mysite").removesuffix("-tpl") for name in files_of(TEMPLATE)
    }
    assert files_of(tmp_path) == made
    assert {".env", ".github/workflows/ci.yml", "mysite/settings.py", "books/api.py"} <= made
    assert (tmp_path / "manage.py").stat().st_mode & 0o100


def test_its_name_stands_where_it_belongs(tmp_path: Path) -> None:
    call_command(Command(), "mysite", str(tmp_path), stdout=StringIO())

    for path in map(tmp_path.joinpath, files_of(tmp_path)):
        source = path.read_text()
        if path.name not in NOT_RENDERED:
            assert "{{" not in source, path
        if path.suffix == ".py":
            compile(source, path, "exec")
    assert 'ASGI_APPLICATION = "mysite.asgi.app"' in (tmp_path / "mysite/settings.py").read_text()
    assert '"mysite.asgi:app"' in (tmp_path / "Dockerfile").read_text()


def test_every_project_has_a_key_of_its_own(tmp_path: Path) -> None:
    settings = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        call_command(Command(), "mysite", str(tmp_path / name), stdout=StringIO())
        settings.append((tmp_path / name / "mysite" / "settings.py").read_text())

    assert settings[0].count("django-insecure-") == 1
    assert settings[0] != settings[1]


def test_a_directory_is_made_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = StringIO()

    call_command(Command(), "mysite", stdout=output)

    assert (tmp_path / "mysite" / "mysite" / "asgi.py").exists()
    assert output.getvalue().startswith("Created the project 'mysite' in 'mysite'.")


def test_a_name_that_a_directory_of_the_project_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        call_command(Command(), "books", str(tmp_path))

    assert str(caught.value) == "'books' is a directory of every project: choose another name."
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("mine")

    with pytest.raises(CommandError, match="already exists"):
        call_command(Command(), "mysite", str(tmp_path))

    assert (tmp_path / "Makefile").read_text() == "mine"


@pytest.mark.parametrize("arguments", [[], ["check"]], ids=str)
def test_anything_else_says_what_to_type(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.returncode == 1
    assert result.stderr == (
        "usage: python -m django_mullet startproject NAME [DIRECTORY]\n"
        "Django's other commands: django-admin help, python manage.py help\n"
    )
