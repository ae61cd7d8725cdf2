import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import django_mullet
from tests.documentation import ROOT

PACKAGE = Path(django_mullet.__file__).parent
MODULES: dict[str, str] = vars(django_mullet)["_MODULES"]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()

ONLY_IN_SETTINGS = {"django_mullet.urls"}
"""Dotted paths below the package that users write all the same, in a URLconf."""

LOGGERS = {"django_mullet.lazy_loads", "django_mullet.routing"}
"""Names in `LOGGING`, which look like modules."""

WRITTEN_FOR_USERS = [
    ROOT / "README.md",
    *sorted({*(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "architecture.md"}),
    *sorted((ROOT / "example").rglob("*.py")),
    *sorted((PACKAGE / "codegen").rglob("*-tpl")),
]


def test_the_public_names_are_those_of_the_reference() -> None:
    section = REFERENCE.partition("## Public names")[2]

    assert sorted(re.findall(r"^\| `(\w+)", section, re.MULTILINE)) == sorted(django_mullet.__all__)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_public_name_is_that_of_its_module(name: str) -> None:
    module = f"django_mullet.{MODULES[name]}"

    value = getattr(django_mullet, name)

    assert value is getattr(sys.modules[module], name)
    assert name in sys.modules[module].__all__
    assert name in dir(django_mullet)


def test_all_public_names_are_typed() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    typed = {
        alias.name: (node.module or "").removeprefix("django_mullet.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module not in ("importlib", "typing")
        for alias in node.names
    }

    assert typed == MODULES
    assert sorted([*MODULES, "__version__"]) == sorted(django_mullet.__all__)


def test_no_public_name_is_that_of_a_module() -> None:
    modules = {path.stem for path in PACKAGE.iterdir()}

    assert modules.isdisjoint(django_mullet.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'django_mullet' has no attribute 'Router'$"):
        _ = django_mullet.Router  # type: ignore[attr-defined]


def test_the_package_is_imported_without_django_and_fastapi() -> None:
    code = "import sys, django_mullet; print({'django', 'fastapi', 'pydantic'} & {*sys.modules})"

    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert found.stdout == "set()\n"


@pytest.mark.parametrize("path", WRITTEN_FOR_USERS, ids=lambda path: path.name)
def test_what_users_read_imports_nothing_deeper(path: Path) -> None:
    text = path.read_text()
    imported = re.findall(r"(?:from|import) (django_mullet\.\w[\w.]*)", text)
    told = re.findall(r"`(django_mullet\.\w[\w.]*)`", text) if path.suffix == ".md" else []

    assert {*imported, *told} <= ONLY_IN_SETTINGS | LOGGERS
