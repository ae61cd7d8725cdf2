"""Does a Python client, made from the document of every kind of field, read what rows may hold?

FIELDS_URL=http://127.0.0.1:8000 python fields.py
"""

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fields_client import Client
from fields_client.api.arrays import listed_arrays_get
from fields_client.api.composite import listed_composite_get
from fields_client.api.computed import listed_computed_get
from fields_client.api.documents import listed_documents_get
from fields_client.api.doubled import listed_doubled_get
from fields_client.api.files import listed_files_get
from fields_client.api.keys import listed_keys_get
from fields_client.api.loose import listed_loose_get, patch_loose_key_patch
from fields_client.api.moments import listed_moments_get
from fields_client.api.named import create_named_post, listed_named_get
from fields_client.api.numbers import listed_numbers_get
from fields_client.api.ranges import create_ranges_post, listed_ranges_get
from fields_client.api.relations import listed_relations_get
from fields_client.api.searchable import listed_searchable_get
from fields_client.api.texts import (
    create_texts_post,
    delete_texts_key_delete,
    listed_texts_get,
    patch_texts_key_patch,
    retrieve_texts_key_get,
    update_texts_key_put,
)
from fields_client.models import (
    DecimalRangeInput,
    DecimalRangeOutput,
    IntegerRange,
    Loose,
    LoosePatch,
    NamedCreate,
    Problem,
    Ranges,
    RangesCreate,
    Texts,
    TextsCreate,
    TextsCreateColor,
    TextsPatch,
    TextsUpdate,
    TextsUpdateColor,
)

LISTS: list[Callable[..., Any]] = [
    listed_arrays_get.sync,
    listed_composite_get.sync,
    listed_computed_get.sync,
    listed_documents_get.sync,
    listed_doubled_get.sync,
    listed_files_get.sync,
    listed_keys_get.sync,
    listed_loose_get.sync,
    listed_moments_get.sync,
    listed_named_get.sync,
    listed_numbers_get.sync,
    listed_ranges_get.sync,
    listed_relations_get.sync,
    listed_searchable_get.sync,
    listed_texts_get.sync,
]


def main(base_url: str) -> None:
    api = Client(base_url, raise_on_unexpected_status=True)
    for listed in LISTS:
        assert listed(client=api)
    ranges(api)
    texts(api)
    errors(api)
    print("Python, every field: read, created, updated and deleted")


def ranges(api: Client) -> None:
    listed = listed_ranges_get.sync(client=api)
    assert isinstance(listed, list)
    [decimals] = [each.decimals for each in listed if each.decimals is not None]
    assert isinstance(decimals, DecimalRangeOutput)
    assert (decimals.lower, decimals.upper) == ("1.50", None)

    sent = DecimalRangeInput(lower=str(Decimal("0.5")))
    made = create_ranges_post.sync(
        client=api, body=RangesCreate(IntegerRange(lower=1, upper=5), decimals=sent)
    )
    assert isinstance(made, Ranges)
    assert (made.integers.lower, made.integers.upper) == (1, 5)
    assert isinstance(made.decimals, DecimalRangeOutput)
    assert made.decimals.lower == "0.5"


def texts(api: Client) -> None:
    values = ("a", "a-b", "a@example.com", "https://example.com/")
    created = create_texts_post.sync(
        client=api, body=TextsCreate(*values, TextsCreateColor.RED, nullable="here")
    )
    assert isinstance(created, Texts)

    patched = patch_texts_key_patch.sync(created.id, client=api, body=TextsPatch(nullable=None))
    assert isinstance(patched, Texts)
    assert (patched.nullable, patched.char) == (None, "a")

    body = TextsUpdate(*values, TextsUpdateColor.RED, nullable="here")
    assert update_texts_key_put.sync(created.id, client=api, body=body) == created
    assert retrieve_texts_key_get.sync(created.id, client=api) == created

    assert delete_texts_key_delete.sync(created.id, client=api) is None
    gone = retrieve_texts_key_get.sync(created.id, client=api)
    assert isinstance(gone, Problem)
    assert gone.status == 404


def errors(api: Client) -> None:
    create_named_post.sync(client=api, body=NamedCreate("once"))
    conflict = create_named_post.sync(client=api, body=NamedCreate("once"))
    assert isinstance(conflict, Problem)
    assert conflict.status == 409

    refused = create_named_post.sync(client=api, body=NamedCreate("no slug"))
    assert isinstance(refused, Problem)
    assert refused.status == 422

    listed = listed_loose_get.sync(client=api)
    assert isinstance(listed, list)
    emptied = patch_loose_key_patch.sync(listed[0].id, client=api, body=LoosePatch(url=None))
    assert isinstance(emptied, Loose)
    assert emptied.url is None


def wrong() -> None:
    """What does not fit the document is an error of mypy's: else it finds a comment useless."""
    TextsPatch(slug=None)  # type: ignore[arg-type]
    TextsPatch(id=1)  # type: ignore[call-arg]


if __name__ == "__main__":
    main(os.environ["FIELDS_URL"])
