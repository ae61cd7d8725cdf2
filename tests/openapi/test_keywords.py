"""Is the document in the words that generators of clients read?"""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, File, Form, UploadFile
from pydantic import BaseModel

from django_mullet import Range, mount_django
from tests.fieldtypes import schemas
from tests.fieldtypes.api import app_of


class Prices(BaseModel):
    usual: Range[Decimal]


@pytest.fixture(scope="module")
def components() -> Any:
    app = FastAPI()

    @app.post("/prices/")
    def post_prices(body: Prices) -> Prices: ...

    @app.post("/files/")
    def post_files(
        one: UploadFile,
        several: list[UploadFile],
        maybe: UploadFile | None = None,
        raw: Annotated[bytes | None, File()] = None,
        name: Annotated[str, Form()] = "",
    ) -> None: ...

    mount_django(app)
    return app.openapi()["components"]["schemas"]


def titles_of(schemas: Any) -> list[str]:
    return [schema["title"] for schema in schemas.values() if "title" in schema]


def test_what_is_sent_in_another_form_than_shown_has_titles_of_its_own(components: Any) -> None:
    titles = titles_of(components)

    assert {"DecimalRangeInput", "DecimalRangeOutput", "PricesInput", "PricesOutput"} <= {*titles}
    assert len(titles) == len({*titles})


def test_no_two_components_of_every_field_have_the_same_title() -> None:
    app = app_of(schemas.RangesSchema, schemas.ArraysSchema, schemas.NumbersSchema)
    titles = titles_of(app.openapi()["components"]["schemas"])

    assert len(titles) == len({*titles})
    assert "NumbersCreate" in titles


def test_an_upload_is_binary_in_the_words_of_older_tools_too(components: Any) -> None:
    form = components["Body_post_files_files__post"]["properties"]
    uploads = [
        form["one"],
        form["several"]["items"],
        form["maybe"]["anyOf"][0],
        form["raw"]["anyOf"][0],
    ]

    # Beside the "contentMediaType" that a newer FastAPI writes.
    assert [(each["type"], each["format"]) for each in uploads] == [("string", "binary")] * 4
    assert "format" not in form["name"]
