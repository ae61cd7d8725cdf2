"""Is each name that is not public listed, there, and missed at once when it goes?"""

import runpy
from pkgutil import resolve_name
from types import CodeType, SimpleNamespace
from typing import Any

import pytest

from django_mullet import UnsupportedFastAPI
from django_mullet._compat.names import Name, code_of
from tests._compat.private_names import foreign_names
from tests._compat.relied_on import BEGIN, END, PAGE, in_markdown, tables

NAMES = [(module, name) for module, table in tables().items() for name in table]
IDS = [name.path for _, name in NAMES]

DOCUMENTED = {
    "__closure__",
    "__globals__",
    "_base_manager",
    "_default_manager",
    "_exit",
    "_meta",
}
"""Names with an underscore that Python or Django documents."""

STRUCTURE = {"_get_form", "_request_param_names"}
"""Names that are looked for, and used for nothing else."""


def test_each_private_name_in_the_source_is_listed() -> None:
    listed = {part for _, name in NAMES for part in name.path.split(".")}

    unlisted = [use for use in foreign_names() if use.name not in listed | DOCUMENTED | STRUCTURE]

    assert unlisted == []


def test_what_is_not_listed_is_found(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "used.py").write_text(
        "from fastapi._compat import ModelField\n"
        "value._later, self._own, getattr(value, '_text')\n"
        "class Own:\n"
        "    def _own(self): self._kept = _local = 1\n"
        "cls._own, value.public, '_id'\n"
    )
    monkeypatch.setattr("tests._compat.private_names.ROOT", tmp_path)

    found = [(use.line, use.name) for use in foreign_names()]

    assert sorted(found) == [(1, "_compat"), (2, "_later"), (2, "_text")]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=IDS)
def test_the_name_is_there(module: str, name: Name) -> None:
    assert name.since or name.is_there()


REQUIRED = [(module, name) for module, name in NAMES if not name.since]


@pytest.mark.parametrize(("module", "name"), REQUIRED, ids=[name.path for _, name in REQUIRED])
def test_a_name_that_goes_is_missed_at_once(
    module: str, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = UnsupportedFastAPI if name.library == "FastAPI" else ImportError

    file = str(resolve_name(module).__file__)

    with monkeypatch.context() as patched:
        take_away(name, patched)
        with pytest.raises(expected) as caught:
            runpy.run_path(file)

    said = str(caught.value)
    assert said.startswith(f"'{name.path}' of the installed {name.library} is missing, or has ")
    assert f"Install a {name.library} release that this release of django-mullet supports" in said


def take_away(name: Name, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the installed library be without `name`."""
    if name.used_in is not None:
        function = resolve_name(name.used_in)
        function = getattr(function, "fget", function)
        monkeypatch.setattr(function, "__code__", renamed(function.__code__, name.word))
        return
    owner_path, _, word = name.path.rpartition(".")
    owner = resolve_name(owner_path)
    kinds = [*getattr(owner, "__mro__", [owner]), *type(owner).__mro__]
    try:
        for each in [each for each in kinds if word in vars(each)]:
            monkeypatch.delattr(each, word)
    except TypeError:  # of a class that is written in C
        others = {other: getattr(owner, other, None) for other in dir(owner) if other != word}
        monkeypatch.setattr(owner_path, SimpleNamespace(**others))


def renamed(code: CodeType, word: str) -> CodeType:
    """Return `code` with another name for `word`."""

    def other(names: Any) -> Any:
        return tuple("renamed" if each == word else each for each in names)

    constants = [
        renamed(each, word) if isinstance(each, CodeType) else other([each])[0]
        for each in code.co_consts
    ]
    return code.replace(
        co_consts=tuple(constants),
        co_names=other(code.co_names),
        co_varnames=other(code.co_varnames),
        co_freevars=other(code.co_freevars),
        co_cellvars=other(code.co_cellvars),
    )


@pytest.mark.parametrize(
    ("used_in", "is_there"),
    [
        ("fastapi.routing.get_request_handler", True),
        ("fastapi.routing.no_such_function", False),
        ("math.sqrt", True),
    ],
)
def test_what_uses_a_name_may_be_an_instrument_s_and_not_gone(used_in: str, is_there: bool) -> None:
    name = Name("fastapi.routing.app.dependant", "", "", used_in=used_in)

    assert name.is_there() is is_there


def test_the_code_of_a_property_is_that_which_reads_it() -> None:
    class Owner:
        @property
        def value(self) -> int:
            return self.kept  # type: ignore[no-any-return, attr-defined]

    code = code_of(Owner.value)

    assert code is not None
    assert "kept" in code.co_names


def test_the_documentation_lists_them() -> None:
    _, _, rest = PAGE.read_text().partition(BEGIN)
    listed, _, _ = rest.partition(END)

    assert listed.strip() == in_markdown().strip(), "python -m tests._compat.relied_on"


def test_an_instrument_that_makes_fastapi_s_handlers_hides_no_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Sentry does; when a route is defined, its variables are looked for."""
    make: Any = resolve_name("fastapi.routing.get_request_handler")
    monkeypatch.setattr("fastapi.routing.get_request_handler", lambda *args: make(*args))

    module = runpy.run_path(str(resolve_name("django_mullet._compat.fastapi").__file__))

    assert module["RELIED_ON"]
