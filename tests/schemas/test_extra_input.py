"""What becomes of fields of a body that are no fields of the model?"""

from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.db import models
from pydantic import TypeAdapter, ValidationError

from django_mullet import Create, CreateOnly, ModelSchema, Patch, Update, WriteOnly
from django_mullet.checks.schemas import messages_of
from django_mullet.fields.info import QUERYING
from tests.bodies import body
from tests.library.models import Author


class Pinned(models.Model):
    name = models.CharField(max_length=9)
    digest = models.CharField(max_length=20)

    class Meta:
        app_label = "extra"

    def __str__(self) -> str:
        return self.name

    @property
    def pin(self) -> str:
        raise AttributeError("Only its digest is kept.")

    @pin.setter
    def pin(self, pin: str) -> None:
        self.digest = f"{self.name}/{pin}"

    @property
    def shouted(self) -> str:
        return self.name.upper()


class SignUp(ModelSchema[Author]):
    id: int
    name: str
    again: WriteOnly[str]
    terms: WriteOnly[bool | None]
    source: WriteOnly[str] = "web"


class WithPin(ModelSchema[Pinned]):
    pin: WriteOnly[str]
    name: str


SENT = {"name": "Homer", "again": "Homer", "terms": None}


@pytest.mark.django_db
def test_what_the_model_lacks_is_for_the_endpoint() -> None:
    sent = body(Create[SignUp], **SENT)

    made = sent.create()

    assert (sent.again, sent.terms, sent.source) == ("Homer", None, "web")
    assert not {"again", "terms", "source"} & vars(made).keys()
    shown = SignUp.from_model(Author.objects.get(pk=made.pk))
    assert shown.model_dump() == {"id": made.pk, "name": "Homer"}
    body(Patch[SignUp], again="Homeros").save(made)
    body(Update[SignUp], **SENT | {"name": "Hesiod"}).update(made)
    assert made.name == "Hesiod"
    assert sent.to_model().name == "Homer"


@pytest.mark.parametrize("variant", [Create, Update])
def test_it_is_required_as_the_schema_says(variant: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        body(variant[SignUp], name="Homer")

    assert [error["loc"] for error in caught.value.errors()] == [("again",), ("terms",)]
    assert set(TypeAdapter(variant[SignUp]).json_schema()["required"]) >= {"again", "terms"}
    assert body(Patch[SignUp]).model_fields_set == set()


def test_a_property_is_set_after_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUERYING, 0, print)  # so that columns are looked at once more
    sent = body(Create[WithPin], pin="1234", name="Homer")

    assert sent.to_model().digest == "Homer/1234"


def found(schema: Any) -> list[CheckMessage]:
    return list(messages_of(schema))


def test_E004_names_properties_that_cannot_be_set() -> None:
    class Wrong(ModelSchema[Pinned]):
        shouted: CreateOnly[str]

    [message] = found(Wrong)

    assert message.msg == "'Wrong.shouted' is 'str', but 'Pinned.shouted' cannot be set."
    assert message.hint == "Write 'shouted: ReadOnly[str]', or a setter in the model."
    assert found(WithPin) == found(SignUp) == []
