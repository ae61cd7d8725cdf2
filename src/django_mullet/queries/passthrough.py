"""Lookups that pass a value to the database unchanged.

Those of which none of Django's own methods on the way makes anything else. Where a lookup or its
field has a method of its own, it is asked each time.
"""

from typing import Any

from django.db.models import AutoField, CharField, Field, ForeignKey, IntegerField, TextField
from django.db.models.expressions import Col
from django.db.models.fields.related_lookups import RelatedExact, RelatedIn
from django.db.models.lookups import (
    BuiltinLookup,
    Exact,
    FieldGetDbPrepValueIterableMixin,
    In,
    IntegerFieldOverflow,
    Lookup,
)

from django_mullet.queries.stock_django import is_written_in_django

__all__ = ["VENDORS", "class_as_is", "class_listed", "is_composed", "keeps_side", "range_as_is"]

VENDORS = ("postgresql", "sqlite", "mysql", "oracle")

_AS_SQL = {BuiltinLookup.as_sql, Exact.as_sql, RelatedExact.as_sql}
"""What composes the SQL of a column's lookup of those, without a look at the value."""

_PREPARING = {Exact.get_prep_lookup, Lookup.get_prep_lookup, RelatedExact.get_prep_lookup}

_OF_TEXT = {(field.get_prep_value, field.to_python) for field in (CharField, TextField)}


def keeps_side(lookup: Any) -> bool:
    """Return whether the left side is the same for every value."""
    if type(lookup.lhs) is not Col or type(lookup).process_lhs is not BuiltinLookup.process_lhs:
        return False
    column: Any = type(lookup.lhs.output_field)
    return is_written_in_django(column.db_type, column.get_internal_type)


def is_composed(lookup: Any) -> bool:
    """Return whether the SQL is that of the two sides, and depends on nothing else."""
    kind = type(lookup)
    return (
        keeps_side(lookup)
        and kind.as_sql in _AS_SQL
        and kind.get_rhs_op is BuiltinLookup.get_rhs_op
        and _is_alike_everywhere(lookup)
    )


def class_as_is(lookup: Any) -> type | None:
    """Return the class of the values that are given as they are, if any are.

    Integers are if they are in `range_as_is()`.
    """
    kind = type(lookup)
    is_plain = (
        is_composed(lookup)
        and kind.get_prep_lookup in _PREPARING
        and kind.process_rhs in (Lookup.process_rhs, IntegerFieldOverflow.process_rhs)
        and _after(IntegerFieldOverflow, kind).process_rhs is Lookup.process_rhs
        and kind.get_db_prep_lookup is Exact.get_db_prep_lookup
    )
    return _class_of(lookup) if is_plain else None


def range_as_is(lookup: Any, connection: Any) -> tuple[float, float]:
    """Return the first and the last integer of which there is a condition on the database."""
    if not isinstance(lookup, IntegerFieldOverflow):
        return float("-inf"), float("inf")
    kind = lookup.lhs.output_field.get_internal_type()  # type: ignore[attr-defined]
    first, last = connection.ops.integer_field_range(kind)
    return (
        float("-inf") if first is None else first,
        float("inf") if last is None else last,
    )


def class_listed(lookup: Any) -> type | None:
    """Return the class of the values of which a list is given as they are, each once, if any is.

    The SQL depends on their number alone.
    """
    kind = type(lookup)
    is_plain = (
        keeps_side(lookup)
        and kind.as_sql in (In.as_sql, RelatedIn.as_sql)
        and kind.get_rhs_op is In.get_rhs_op
        and _is_alike_everywhere(lookup)
        and kind.get_prep_lookup in (In.get_prep_lookup, RelatedIn.get_prep_lookup)
        and kind.process_rhs is In.process_rhs
        and kind.batch_process_rhs is FieldGetDbPrepValueIterableMixin.batch_process_rhs
        and kind.get_db_prep_lookup is In.get_db_prep_lookup
    )
    return _class_of(lookup) if is_plain else None


def _is_alike_everywhere(lookup: Any) -> bool:
    as_vendor = {getattr(type(lookup), f"as_{vendor}", None) for vendor in VENDORS}
    # That of Oracle is about conditions, not columns.
    return as_vendor <= {None, Lookup.as_oracle} and not lookup.bilateral_transforms


def _after(base: Any, kind: Any) -> Any:
    """Return what `kind` is besides `base`."""
    return super(base, kind) if issubclass(kind, base) else kind


def _class_of(lookup: Any) -> type | None:
    column = lookup.lhs.output_field
    is_relation = type(column).get_prep_value is ForeignKey.get_prep_value
    field: Any = column.target_field if is_relation else column
    if not lookup.prepare_rhs or type(field).get_db_prep_value not in (
        Field.get_db_prep_value,
        AutoField.get_db_prep_value,
    ):
        return None
    prepares = type(field).get_prep_value
    if prepares is IntegerField.get_prep_value:
        return int
    if (prepares, type(field).to_python) in _OF_TEXT:
        return str
    return None
