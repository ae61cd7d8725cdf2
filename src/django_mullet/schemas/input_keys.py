"""The keys by which a schema's input has each field: names, aliases, paths.

As Pydantic looks for them: by its aliases, some of which lead further down, and by its name where
the schema says so.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, AliasPath

__all__ = ["Keys", "Place", "as_sent", "input_key", "keys_of", "with_names", "without_names"]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """The ways on which a field may stand, in the order in which Pydantic tries them."""

    paths: tuple[Path, ...]


Place = tuple[str | int | Keys, ...]


def keys_of(schema: Any, name: str) -> Keys:
    """Return the ways on which the input of `schema`, a Pydantic model, may have a field."""
    config = schema.model_config
    paths = _aliases(schema.model_fields[name]) if config.get("validate_by_alias", True) else []
    if not paths or config.get("validate_by_name") or config.get("populate_by_name"):
        paths.append((name,))
    return Keys(tuple(paths))


def input_key(schema: Any, name: str) -> str:
    """Return what the input of `schema` calls its field `name`: an alias, if it has one."""
    keys = (path[0] for path in keys_of(schema, name).paths if len(path) == 1)
    return next((key for key in keys if isinstance(key, str)), name)


def with_names(fields: Any, schema: Any) -> Any:
    """Return the core schema of the fields of `schema` so that each has its `input_key()`.

    An alias that leads further down is for requests: what is shown has the field by its name.
    """
    return _with_aliases(fields, {name: [*way, [name]] for name, way in _deep(schema).items()})


def without_names(fields: Any, schema: Any) -> Any:
    """Return the core schema that `with_names()` has changed as it was."""
    return _with_aliases(fields, _deep(schema))


def _with_aliases(fields: Any, aliases: dict[str, Any]) -> Any:
    if not aliases:
        return fields
    found = {
        name: {**field, "validation_alias": aliases[name]} if name in aliases else field
        for name, field in fields["fields"].items()
    }
    return {**fields, "fields": found}


def _deep(schema: Any) -> dict[str, list[list[str | int]]]:
    """Return the aliases of the fields that have none but such as lead further down."""
    ways = {name: keys_of(schema, name).paths for name in schema.model_fields}
    return {
        name: [list(path) for path in paths]
        for name, paths in ways.items()
        if (input_key(schema, name),) not in paths
    }


def as_sent(place: Place, sent: Any) -> Path:
    """Return `place` by those keys that are in `sent`, the JSON of a request, if it is known."""
    found: list[str | int] = []
    for part in place:
        paths = part.paths if isinstance(part, Keys) else ((part,),)
        path = next((path for path in paths if _within(sent, path) is not _MISSING), paths[0])
        found += path
        sent = _within(sent, path)
    return tuple(found)


_MISSING: Any = object()


def _within(sent: Any, path: Path) -> Any:
    for key in path:
        is_there = key in sent if isinstance(sent, dict) else _is_index(key, sent)
        sent = sent[key] if is_there else _MISSING
    return sent


def _is_index(key: str | int, sent: Any) -> bool:
    return isinstance(key, int) and isinstance(sent, list) and -len(sent) <= key < len(sent)


def _aliases(info: Any) -> list[Path]:
    alias = info.validation_alias or info.alias
    if isinstance(alias, AliasChoices):
        return [tuple(path) for path in alias.convert_to_aliases()]
    if isinstance(alias, AliasPath):
        return [tuple(alias.convert_to_aliases())]
    return [] if alias is None else [(alias,)]
