"""Which fields have values of types of their own, and what does the API make of these?"""

from typing import Any
from zoneinfo import ZoneInfo

from filer.fields.multistorage_file import MultiStorageFileField
from post_office.fields import CommaSeparatedEmailField
from pydantic import JsonValue
from timezone_field import TimeZoneField
from wagtail.fields import StreamField
from wagtail.test.customuser.fields import ConvertedValue, ConvertedValueField

from django_mullet import register_field_type


def read_stream(field: StreamField, value: Any) -> Any:
    """Return the blocks as the database has them: `[{"type": ..., "value": ..., "id": ...}]`."""
    return field.stream_block.get_prep_value(value)


def clean_stream(field: StreamField, blocks: Any) -> Any:
    """Refuse blocks that the field does not know, which it would drop."""
    for block in blocks:
        if not isinstance(block, dict) or block.get("type") not in field.stream_block.child_blocks:
            raise ValueError(f"Choose blocks of: {', '.join(field.stream_block.child_blocks)}.")
    return blocks


def example_of_stream(field: StreamField) -> Any:
    """Say in the OpenAPI document what may be sent: the first kind of block, as it is at first."""
    name, block = next(iter(field.stream_block.child_blocks.items()))
    value = block.get_prep_value(block.get_default())
    return {"examples": [[{"type": name, "value": value}]]}


register_field_type(
    StreamField,
    annotation=list[JsonValue],
    json_schema=example_of_stream,
    clean=clean_stream,
    read=read_stream,
    write=lambda field, blocks: field.to_python(blocks),
)

# An integer in the database, and another one, as a text, in Python.
register_field_type(
    ConvertedValueField,
    annotation=int,
    read=lambda field, value: None if value is None else value.db_value,
    write=lambda field, value: None if value is None else ConvertedValue(value),
)

# A list in Python, and a text in the database.
register_field_type(
    CommaSeparatedEmailField,
    annotation=list[str],
    json_schema=lambda field: {"examples": [["somebody@example.com"]]},
    read=lambda field, value: field.to_python(value),
    write=lambda field, value: value,
)

# Its objects know of two storages, and of thumbnails; the database has the name alone.
register_field_type(
    MultiStorageFileField,
    annotation=str,
    read=lambda field, value: str(value),
    write=lambda field, value: value,
)

register_field_type(TimeZoneField, annotation=ZoneInfo)
