"""Do the fields that are told apart from Django's come through with real content?"""

from typing import Any

import pytest
from cms.models import Placeholder
from cms.test_utils.project.placeholder_relation_field_app.models import FancyPoll
from django.contrib.contenttypes.models import ContentType
from pydantic import TypeAdapter
from taggit.models import Tag
from wagtail.documents.models import Document
from wagtail.test.testapp.models import (
    EventCategory,
    EventPage,
    EventPageCarouselItem,
    StreamPage,
    TaggedPage,
)

from django_mullet import APIClient, ModelSchema, Patch, Writable
from project.api import path_of
from project.registry import schema_of
from recipes import saved

pytestmark = pytest.mark.django_db


def patched(client: APIClient, instance: Any, **values: Any) -> Any:
    return client.patch(f"/api{path_of(type(instance))}/{instance.pk}/", json=values)


def shown(instance: Any) -> Any:
    return schema_of(type(instance)).from_model(type(instance).objects.get(pk=instance.pk))


def test_the_blocks_of_a_stream_are_kept_as_they_are(client: APIClient) -> None:
    page = saved(StreamPage)
    blocks = [
        {"type": "text", "value": "Goats", "id": "00000000-0000-4000-8000-000000000001"},
        {
            "type": "rich_text",
            "value": "<p>and <b>fish</b></p>",
            "id": "00000000-0000-4000-8000-000000000002",
        },
    ]

    response = patched(client, page, body=blocks)

    assert response.json()["body"] == blocks
    assert shown(page).body == blocks
    assert [block.block_type for block in StreamPage.objects.get(pk=page.pk).body] == [
        "text",
        "rich_text",
    ]


def test_a_block_that_the_stream_does_not_know_is_refused(client: APIClient) -> None:
    page = saved(StreamPage)

    response = patched(client, page, body=[{"type": "goat", "value": "Billy"}])

    assert response.status_code == 422
    [error] = response.json()["detail"]
    assert error["loc"] == ["body", "body"]
    assert error["msg"].startswith("Choose blocks of: text, rich_text, ")


@pytest.mark.parametrize("model", [Document, TaggedPage], ids=lambda model: model.__name__)
def test_tags_are_set_by_their_keys(client: APIClient, model: Any) -> None:
    tagged, tag = saved(model), Tag.objects.create(name="pond")

    assert patched(client, tagged, tags=[tag.pk]).json()["tags"] == [tag.pk]
    assert list(model.objects.get(pk=tagged.pk).tags.names()) == ["pond"]
    patched(client, tagged, tags=[])
    assert list(model.objects.get(pk=tagged.pk).tags.names()) == []


def test_a_parental_relation_is_written_when_it_is_set(client: APIClient) -> None:
    page, category = saved(EventPage), EventCategory.objects.create(name="Feeding")

    patched(client, page, categories=[category.pk])
    assert list(EventPage.objects.get(pk=page.pk).categories.all()) == [category]
    patched(client, page, categories=[])
    assert list(EventPage.objects.get(pk=page.pk).categories.all()) == []


class ItemSchema(ModelSchema[EventPageCarouselItem]):
    caption: str


class EventSchema(ModelSchema[EventPage]):
    title: str
    carousel_items: Writable[list[ItemSchema]]


def test_children_with_a_parental_key_are_shown_and_written_within_their_page() -> None:
    page = saved(EventPage)
    body = TypeAdapter(Patch[EventSchema]).validate_python(
        {"carousel_items": [{"caption": "Goats"}, {"caption": "Fish"}]}
    )

    for instance in (page, EventPage.objects.get(pk=page.pk)):
        body.save(instance)

        [found] = EventSchema.from_qs(EventPage.objects.filter(pk=page.pk))
        assert [item.caption for item in found.carousel_items] == ["Goats", "Fish"]
        assert found == EventSchema.from_model(instance)


def test_placeholders_are_shown_and_not_written() -> None:
    class PollSchema(ModelSchema[FancyPoll]):
        name: str
        placeholders: list[int]

    poll = FancyPoll.objects.create(name="Goats or fish?")
    placeholder = Placeholder.objects.create(
        slot="answers", content_type=ContentType.objects.get_for_model(FancyPoll), object_id=poll.pk
    )

    [of_queryset] = PollSchema.from_qs(FancyPoll.objects.all())

    assert PollSchema.from_model(poll).placeholders == [placeholder.pk]
    assert of_queryset.placeholders == [placeholder.pk]
    assert PollSchema.is_read_only("placeholders")
