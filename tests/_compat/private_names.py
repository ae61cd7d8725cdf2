"""The private names of other libraries that the source uses, found in its syntax."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import django_mullet

ROOT = Path(django_mullet.__file__).parent

_PRIVATE = re.compile(r"_[a-z]\w*|__pydantic\w*__|__code__|__closure__|__globals__|_[A-Z]\w*")

_PARTS_OF_WORDS = {"_api", "_check", "_id", "_schemas", "_type"}
"""Texts that are put behind others."""

_READERS = {"attrgetter", "delattr", "getattr", "hasattr", "setattr"}


@dataclass(frozen=True, slots=True)
class Use:
    """A place in the source that names something."""

    file: str
    line: int
    name: str


def foreign_names() -> list[Use]:
    """Return where the source uses a private name that it does not define."""
    trees = {file: ast.parse(file.read_text()) for file in sorted(ROOT.rglob("*.py"))}
    own = {name for tree in trees.values() for name in _defined(tree)}
    return [
        Use(str(file.relative_to(ROOT)), line, name)
        for file, tree in trees.items()
        for line, name in _used(tree, own)
        if _PRIVATE.fullmatch(name)
    ]


def _defined(tree: ast.AST) -> Iterator[str]:
    """Yield the names that `tree` gives: to functions, classes, variables, attributes of `self`."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name


def _used(tree: ast.AST, own: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if name in own:
                continue
            case ast.Attribute(attr=name):
                if name not in own or _is_foreign(name):
                    yield node.lineno, name
            case ast.ImportFrom(module=str(module), names=names) if "django_mullet" not in module:
                yield from ((node.lineno, part) for part in module.split("."))
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.Constant(value=str(name)) if name not in own | _PARTS_OF_WORDS:
                yield node.lineno, name


def _is_foreign(name: str) -> bool:
    return name.startswith("__")
