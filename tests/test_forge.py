"""What contributors meet: workflows, hooks and targets, which agree with `.ci` and the Makefile."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.documentation import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
HELPED = re.findall(r"^([a-z-]+):.*?## ", MAKEFILE, re.MULTILINE)
FORGE = sorted((ROOT / ".github").rglob("*.yml"))
PINNED = r"[\w/-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+"


def steps_of(script: str) -> list[str]:
    """Return the targets that a script in `.ci` makes."""
    text = (ROOT / ".ci" / script).read_text()
    return re.findall(r"^step (?:env \S+ )?make ([a-z-]+)", text, re.MULTILINE)


def jobs(workflow: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / workflow).read_text())
    found: dict[str, Any] = parsed["jobs"]
    return found


def targets_of(workflow: str) -> Iterator[str]:
    for job in jobs(workflow).values():
        matrix = job.get("strategy", {}).get("matrix", {})
        yield from matrix.get("target", [])
        yield from (each["target"] for each in matrix.get("include", []) if "target" in each)
        for step in job["steps"]:
            yield from re.findall(r"^make ([a-z-]+)$", step.get("run", ""))


@pytest.mark.parametrize(("script", "workflow"), [("run", "ci.yml"), ("nightly", "nightly.yml")])
def test_a_workflow_has_each_step_of_its_script(script: str, workflow: str) -> None:
    steps = steps_of(script)

    assert steps
    assert set(steps) <= set(targets_of(workflow))


@pytest.mark.parametrize("script", ["run", "nightly"])
def test_a_comment_says_why_there_is_a_step(script: str) -> None:
    paragraphs = (ROOT / ".ci" / script).read_text().split("\n\n")
    steps = [text for text in paragraphs if "\nstep " in f"\n{text}"]

    assert [text for text in steps if not text.lstrip().startswith("#")] == []


def test_all_that_tests_something_is_a_step() -> None:
    steps = {*steps_of("run"), *steps_of("nightly")}
    asks = {name for name in HELPED if name.startswith("test") or name in ("soak", "isolation")}

    assert asks <= steps


@pytest.mark.parametrize("workflow", ["ci.yml", "nightly.yml"])
def test_a_workflow_makes_only_what_there_is(workflow: str) -> None:
    assert set(targets_of(workflow)) <= set(HELPED)


@pytest.mark.parametrize("workflow", ["ci.yml", "nightly.yml"])
def test_a_workflow_trusts_no_tag_and_leaves_no_token(workflow: str) -> None:
    text = (ROOT / ".github" / "workflows" / workflow).read_text()
    used = re.findall(r"uses: (.*)", text)

    assert used
    assert [use for use in used if not re.fullmatch(PINNED, use)] == []
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert text.count("persist-credentials: false") == text.count("uses: actions/checkout@")


@pytest.mark.parametrize("path", FORGE, ids=lambda path: path.name)
def test_what_the_forge_reads_can_be_read(path: Any) -> None:
    assert yaml.safe_load(path.read_text())


def test_the_hooks_are_the_commands_of_make_lint() -> None:
    [recipe] = re.findall(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]

    commands = [
        hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude") for hook in hooks
    ]
    lines = recipe.strip().split("\n\t")

    assert len(commands) == len(lines)
    assert [line for line in lines if not line.startswith(tuple(commands))] == []


@pytest.mark.parametrize("target", HELPED)
def test_contributing_tells_of_every_target(target: str) -> None:
    if target != "help":
        assert re.search(rf"make {target}\b(?!-)", CONTRIBUTING)


def test_contributing_tells_of_no_target_that_is_gone() -> None:
    told = set(
        re.findall(r"make ([a-z]+(?:-[a-z]+)*)\b", "\n".join(re.findall(r"`.*?`", CONTRIBUTING)))
    )

    assert told <= set(HELPED)
