"""Is a type written as a person would?"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ForwardRef, Literal

import pytest
from pydantic import JsonValue

from django_mullet import Range
from django_mullet.fields.type_source import imports_of, spell, union_of


class Alias:
    """What "type Alias = int | str" is, from Python 3.12 on."""

    __value__ = int | str


@pytest.mark.parametrize(
    ("annotation", "spelled"),
    [
        (int, "int"),
        (int | None, "int | None"),
        (Any, "Any"),
        (Annotated[int, "metadata"], "int"),
        (Literal["a", 1], "Literal['a', 1]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (dict[str, list[Decimal | None]], "dict[str, list[Decimal | None]]"),
        (Range[date], "Range[date]"),
        (JsonValue, "JsonValue"),
        (ForwardRef("Book"), "Book"),
    ],
    ids=str,
)
def test_a_type_is_spelled(annotation: Any, spelled: str) -> None:
    assert spell(annotation) == spelled


def test_a_name_can_stand_for_another() -> None:
    assert spell(list[date] | None, {"date": "day"}) == "list[day] | None"


def test_what_is_imported_for_a_type() -> None:
    annotation = Sequence[Range[date]] | JsonValue | None | int

    assert set(imports_of(annotation)) == {
        ("builtins", "int"),
        ("collections.abc", "Sequence"),
        ("datetime", "date"),
        ("django_mullet", "Range"),
        ("pydantic", "JsonValue"),
    }


def test_what_a_union_is_of() -> None:
    assert union_of(Alias | None) == (int, str, type(None))
    assert union_of(int) == (int,)
