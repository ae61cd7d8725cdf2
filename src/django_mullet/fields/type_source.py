"""The Python source of a type, with the imports that it needs."""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from django.db import models
from pydantic import JsonValue

from django_mullet._compat.pydantic import generic_metadata_of

__all__ = ["import_lines", "imports_of", "module_of", "spell", "union_of"]

UNIONS = (Union, UnionType)

LINE_LENGTH = 88  # the default of formatters


def spell(annotation: Any, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return `annotation` as a person would write it: `Decimal | None`.

    `names` are the names that stand for others.
    """
    if annotation is NoneType:
        return "None"
    if annotation is ...:
        return "..."
    origin, arguments = _parts(annotation)
    if origin is Annotated:
        return spell(arguments[0], names)
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    spelled = [spell(argument, names) for argument in arguments]
    if origin in UNIONS:
        return " | ".join(spelled)
    name = getattr(origin, "__name__", None) or str(getattr(origin, "__forward_arg__", origin))
    name = names.get(name, name)
    return f"{name}[{', '.join(spelled)}]" if spelled else name


def imports_of(annotation: Any) -> Iterator[tuple[str, str]]:
    """Yield the modules and the names in them that `annotation` takes, those of Python too."""
    origin, arguments = _parts(annotation)
    module = getattr(origin, "__module__", "builtins")
    if annotation is JsonValue:
        yield "pydantic", "JsonValue"
    elif origin not in (*UNIONS, NoneType):
        yield _public(module), origin.__name__
    for argument in arguments:
        yield from imports_of(argument)


def _public(module: str) -> str:
    return "django_mullet" if module.startswith("django_mullet.") else module


def module_of(model: type[models.Model]) -> str:
    """Return where to import `model` from: a function elsewhere may have made it for its app."""
    home: Any = getattr(model._meta.app_config, "models_module", None)
    if _has(home, model) and not _has(sys.modules.get(model.__module__), model):
        return str(home.__name__)
    return model.__module__


def _has(module: Any, model: type[models.Model]) -> bool:
    return getattr(module, model.__name__, None) is model


def import_lines(
    used: Iterable[tuple[str, str]],
    *,
    own: Collection[str],
    names: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return the imports of pairs of a module and a name: Python's own, of packages, and `own`.

    `own` are the packages of the project, and `names` the names that stand for others.
    """
    groups: dict[int, dict[str, list[str]]] = {0: {}, 1: {}, 2: {}}
    for module, name in sorted(set(used)):
        if module != "builtins" or name in names:
            spelled = f"{name} as {names[name]}" if name in names else name
            groups[_group(module, own)].setdefault(module, []).append(spelled)
    written = [
        [_import(module, found) for module, found in group.items()]
        for group in groups.values()
        if group
    ]
    return "\n\n".join("\n".join(lines) for lines in written).splitlines()


def union_of(annotation: Any) -> tuple[Any, ...]:
    """Return what `annotation` is one of; itself, if it is no union."""
    if get_origin(annotation) in UNIONS:
        return tuple(found for choice in get_args(annotation) for found in union_of(choice))
    if annotation is not JsonValue and hasattr(annotation, "__value__"):  # as of "type X = ..."
        return union_of(annotation.__value__)
    return (annotation,)


def _parts(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what is written before the brackets, and what is written in them."""
    generic = generic_metadata_of(annotation)
    if generic.get("args"):
        return generic["origin"], generic["args"]
    return get_origin(annotation) or annotation, get_args(annotation)


def _import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= LINE_LENGTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _group(module: str, own: Collection[str]) -> int:
    package = module.partition(".")[0]
    if package in sys.stdlib_module_names:
        return 0
    return 2 if package in own else 1
