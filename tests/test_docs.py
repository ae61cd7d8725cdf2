import inspect
import re
from dataclasses import Field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import django_mullet
from django_mullet import conf
from django_mullet.checks import field_names, schemas
from django_mullet.checks import project as project_checks
from scripts.module_map import PAGE, written
from tests.documentation import (
    PACKAGES,
    PAGES,
    PAGES_WITH_CODE,
    ROOT,
    Block,
    UnnamedBlockError,
    blocks,
    steps,
    write_project,
    write_tutorial,
)
from tests.each_project import SUCCESS, run_in_each

REFERENCE = (ROOT / "docs" / "reference.md").read_text()
PACKAGE = Path(django_mullet.__file__).parent


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which each page has its project, when all their commands have run.

    The tutorial has one for each of its steps.
    """
    directory = tmp_path_factory.mktemp("projects")
    of_pages = [write_project(page, directory / page.stem) for page in PAGES_WITH_CODE]
    of_steps = [write_tutorial(step, directory / step) for step in steps()]
    run_in_each("check,test-on-sqlite", of_pages)
    run_in_each("makemigrations,check,test", of_steps)
    return directory


@pytest.mark.own_projects
@pytest.mark.parametrize("page", PAGES_WITH_CODE, ids=lambda page: page.stem)
def test_the_project_of_a_page_runs(page: Path, projects: Path) -> None:
    output = (projects / page.stem / "output").read_text()

    assert output.endswith(f"{SUCCESS}\n"), output


@pytest.mark.own_projects
@pytest.mark.parametrize("step", steps())
def test_the_project_of_the_tutorial_is_whole_after_each_step(step: str, projects: Path) -> None:
    output = (projects / step / "output").read_text()

    assert output.endswith(f"{SUCCESS}\n"), output
    assert re.search(r"^Found [1-9]\d* test", output, re.MULTILINE), output


@pytest.mark.parametrize(
    "block", list(blocks(PACKAGES.name, PACKAGES.read_text())), ids=lambda block: block.file
)
def test_the_page_of_packages_quotes_code_that_is_tested(block: Block) -> None:
    quoted = block.code.partition("\n")[2].strip()

    assert quoted
    files = [ROOT / "tests" / project / block.file for project in ("packages", "strangers")]
    assert any(quoted in file.read_text() for file in files if file.exists())


def test_a_block_without_a_file_is_reported() -> None:
    text = "# Page\n\nWrite:\n\n```python\nimport django\n```\n"

    with pytest.raises(UnnamedBlockError) as caught:
        list(blocks("page.md", text))

    assert str(caught.value) == (
        "page.md:5: the first line of a Python block must be a comment that names its file, for "
        "example '# shop/api.py'."
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("field", fields(conf.Settings), ids=lambda field: field.name)
def test_the_reference_has_every_setting_with_its_default(field: Field[Any]) -> None:
    name, default = field.name.upper(), str(field.default).removesuffix(".0")

    assert f"\n| `{name}` | `{default}` |" in REFERENCE


def test_the_reference_has_no_setting_that_is_gone() -> None:
    [table] = re.findall(r"^\| key \| default .*?(?=\n\n)", REFERENCE, re.DOTALL | re.MULTILINE)

    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == {
        field.name.upper() for field in fields(conf.Settings)
    }


def test_the_reference_has_every_check_and_no_other() -> None:
    source = "".join(map(inspect.getsource, (project_checks, field_names, schemas)))
    ids = set(re.findall(r"mullet\.[EW]\d{3}", source))

    assert set(re.findall(r"mullet\.[EW]\d{3}", REFERENCE)) == ids


def test_the_reference_has_every_command() -> None:
    commands = [path.stem for path in (PACKAGE / "management" / "commands").glob("[!_]*.py")]

    assert [name for name in commands if f"manage.py {name}" not in REFERENCE] == []


def test_the_page_of_the_architecture_has_every_module() -> None:
    assert PAGE.read_text() == written(), "run 'python scripts/module_map.py'"


def test_the_page_of_the_architecture_tells_of_modules_that_exist() -> None:
    story = PAGE.read_text().partition("## Every module")[0]
    packages = "|".join(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    named = re.findall(rf"`((?:{packages})(?:\.\w+)*)`", story)

    assert named
    missing = [name for name in named if find_spec(f"django_mullet.{name}") is None]
    assert missing == []
