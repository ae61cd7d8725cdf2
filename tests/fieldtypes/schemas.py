"""How would a person write the schemas of these models?"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic import JsonValue

from django_mullet import ModelSchema, Range
from tests.fieldtypes import models


class TextsSchema(ModelSchema[models.Texts]):
    id: int
    char: str
    text: str
    slug: str
    email: str
    url: str
    color: str
    nullable: str | None


class LooseSchema(ModelSchema[models.Loose]):
    id: int
    char: str
    slug: str
    email: str
    url: str | None
    color: str


class NumbersSchema(ModelSchema[models.Numbers]):
    id: int
    small: int
    integer: int
    big: int
    positive_small: int
    positive: int
    positive_big: int
    decimal: Decimal
    float: float
    boolean: bool
    nullable_boolean: bool | None
    stars: int | None


class MomentsSchema(ModelSchema[models.Moments]):
    id: int
    date: date
    datetime: datetime
    time: time
    duration: timedelta
    created: datetime
    seen: datetime


class KeysSchema(ModelSchema[models.Keys]):
    id: UUID
    uuid: UUID
    ip: str
    ipv4: str | None


class DocumentsSchema(ModelSchema[models.Documents]):
    id: int
    document: JsonValue
    nullable: JsonValue
    default: JsonValue


class FilesSchema(ModelSchema[models.Files]):
    id: int
    binary: bytes
    short: bytes | None
    file: str | None
    path: str


class AttachmentsSchema(ModelSchema[models.Attachments]):
    id: int
    title: str
    file: str


class DoubledSchema(ModelSchema[models.Doubled]):
    id: int
    side: int | None
    double: int | None


class ComputedSchema(ModelSchema[models.Computed]):
    id: int
    side: int
    area: int


class NamedSchema(ModelSchema[models.Named]):
    name: str
    title: str


class TitledSchema(ModelSchema[models.Titled]):
    name: str
    title: str
    pages: int


class CompositeSchema(ModelSchema[models.Composite]):
    pk: tuple[str, int]
    shelf: str
    place: int
    title: str


class ShelvedSchema(ModelSchema[models.Composite]):
    shelf: str
    place: int
    title: str


class RelationsSchema(ModelSchema[models.Relations]):
    id: int
    named_id: str
    unique_id: UUID | None
    many: list[int]
    content_type_id: int | None
    object_id: int | None


class ArraysSchema(ModelSchema[models.Arrays]):
    id: int
    integers: list[int]
    texts: list[str]
    moments: list[datetime]
    decimals: list[Decimal]
    blobs: list[bytes]
    matrix: list[list[int]] | None
    documents: list[JsonValue]


class RangesSchema(ModelSchema[models.Ranges]):
    id: int
    integers: Range[int]
    bigs: Range[int] | None
    decimals: Range[Decimal] | None
    dates: Range[date] | None
    moments: Range[datetime] | None
    several: list[Range[int]]


class SearchableSchema(ModelSchema[models.Searchable]):
    id: int
    text: str
    vector: str | None


class StoredSchema(ModelSchema[models.Stored]):
    id: int
    attributes: dict[str, str | None]
