"""How is a saved instance made of each model?

By model_bakery, which fills in all columns. Nodes of trees are put where they belong by the
methods of their packages; what else a `save()` insists on is written below.
"""

from collections.abc import Callable
from typing import Any

from cms.models import GlobalPagePermission, PagePermission
from cms.models import Page as CMSPage
from cms.test_utils.project.sampleapp.models import SampleAppConfig
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import SearchVectorField
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.db import models
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from djstripe.models import APIKey
from helpdesk.models import ChecklistTemplate, UserSettings
from machina.apps.forum.models import Forum
from machina.apps.forum_conversation.models import Post, Topic
from model_bakery import baker
from oauth2_provider.models import ResourceJSONField
from oscar.core.loading import get_model
from polymorphic.models import PolymorphicModel
from taggit.managers import TaggableManager
from treebeard.mp_tree import MP_Node
from wagtail.fields import StreamField
from wagtail.models import (
    AbstractPage,
    ModelLogEntry,
    Page,
    PageLogEntry,
    WorkflowContentType,
    WorkflowState,
)
from wagtail.search.models import IndexEntry
from wagtail.test.testapp.models import FeatureCompleteToy

from project.registry import Model

TEXTS = ("goat@example.org", "+4930901820", "/", "GOAT", "goat", "en")
"""Some text of which each field takes one, whatever its validators are."""


class Baker(baker.Baker):
    """Knows the fields and the trees of the packages, and what their `save()` insists on."""

    def make(self, **attrs: Any) -> Any:
        attrs = required_values(self.model) | attrs
        if not issubclass(self.model, MP_Node):
            return super().make(**attrs)
        node = self.prepare(**attrs)
        if issubclass(self.model, Page):
            return Page.get_first_root_node().add_child(instance=node)
        return self.model.add_root(instance=node)

    def _skip_field(self, field: Any) -> bool:
        return isinstance(field, TaggableManager) or super()._skip_field(field)

    def generate_value(self, field: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(field, StreamField):
            return stream(field)
        if isinstance(field, SearchVectorField):
            return "'goat':1"
        if isinstance(field, ResourceJSONField):
            return ["https://example.org/"]
        if isinstance(field, models.JSONField):
            return {"goats": ["Billy", None, 1.5]}
        if isinstance(field, models.ForeignKey):
            return target_of(field)
        known = (base for base in type(field).__mro__ if base in self.type_mapping)
        self.type_mapping.setdefault(type(field), self.type_mapping.get(next(known, None)))
        value = super().generate_value(field, *args, **kwargs)
        return text(field, value) if isinstance(value, str) else value


def saved(model: Model, *, optional: bool = True, **values: Any) -> Any:
    """Return a saved instance; with every column and relation filled in if they are `optional`."""
    maker: Any = Baker(model, make_m2m=optional, create_files=True)
    made = maker.make(_fill_optional=True if optional else optional_columns(model), **values)
    if optional:
        for field in model._meta.many_to_many:
            relate(made, field)
    return made


def optional_columns(model: Model) -> list[str]:
    """Return the columns that the database lets be empty, but no form."""
    return [
        field.name
        for field in model._meta.fields
        if not field.blank and not field.is_relation and (field.null or field.has_default())
    ]


def target_of(field: Any) -> Any:
    """Return what a foreign key may lead to."""
    if issubclass(field.related_model, ContentType):
        return ContentType.objects.get_for_model(Site)
    return saved(field.related_model, optional=False)


def relate(instance: Any, field: Any) -> None:
    """Have a many-to-many relation lead to something, where model_bakery has not seen to it."""
    manager = getattr(instance, field.name)
    if isinstance(field, TaggableManager):
        manager.set(["goat", "fish"])
        instance.save()
        return
    limit = field.get_limit_choices_to()
    if limit or not manager.all().exists():
        manager.set([saved(field.related_model, optional=False, **limit) for _ in range(2)])
    instance.save()  # or django-modelcluster would keep it in memory


def text(field: Any, value: str) -> str:
    """Return `value`, or another that the validators of `field` let pass."""
    for candidate in (value[:40], value, *TEXTS):  # short, as some models make more of it
        try:
            field.clean(candidate, None)
        except ValidationError:
            continue
        return candidate
    raise AssertionError(f"No text passes the validators of '{field}'.")


def stream(field: StreamField) -> Any:
    """Return a block of each kind that the field takes, with what it has to begin with."""
    blocks = field.stream_block.child_blocks.items()
    return field.to_python(
        [
            {"type": name, "value": block.get_prep_value(block.get_default())}
            for name, block in blocks
        ]
    )


def required_values(model: Model) -> dict[str, Any]:
    """Return what `save()` of the model insists on."""
    values: dict[str, Any] = {}
    if issubclass(model, AbstractPage):
        values["content_type"] = ContentType.objects.get_for_model(model)
    if issubclass(model, PolymorphicModel):
        values["polymorphic_ctype"] = ContentType.objects.get_for_model(model)
    for field in model._meta.private_fields:
        if isinstance(field, GenericForeignKey):
            values[field.ct_field] = ContentType.objects.get_for_model(Site)
            values[field.fk_field] = Site.objects.get().pk
    for base, function in VALUES.items():
        if issubclass(model, base):
            values |= function()
    return values


def user_without_settings() -> Any:
    """Return a user whose settings, which a signal makes, are gone again."""
    user = saved(get_user_model())
    UserSettings.objects.filter(user=user).delete()
    return get_user_model()._base_manager.get(pk=user.pk)


def topic_that_stays() -> Topic:
    """Return one of which another post is left, or it would be deleted along with its last."""
    topic: Topic = saved(Topic, optional=False)
    Post(topic=topic, subject="goat", content="goat", username="goat").save()
    return topic


CommunicationEventType = get_model("communication", "CommunicationEventType")
Condition = get_model("offer", "Condition")
Benefit = get_model("offer", "Benefit")

VALUES: dict[Model, Callable[[], dict[str, Any]]] = {
    MP_Node: lambda: {"numchild": 0},
    CMSPage: lambda: {"parent": None},
    GlobalPagePermission: lambda: {"user": saved(get_user_model())},
    PagePermission: lambda: {"user": saved(get_user_model())},
    APIKey: lambda: {"secret": f"sk_test_{'goat' * 6}{APIKey.objects.count()}"},
    IntervalSchedule: lambda: {"every": 1},
    PeriodicTask: lambda: {  # one schedule, and one way to tell when it ends
        "interval": saved(IntervalSchedule),
        "clocked": None,
        "crontab": None,
        "expires": None,
        "solar": None,
    },
    ChecklistTemplate: lambda: {"task_list": ["Feed the goat"]},
    UserSettings: lambda: {"user": user_without_settings()},
    Forum: lambda: {"lft": 1, "rght": 2, "tree_id": 1, "level": 0},
    Post: lambda: {"topic": topic_that_stays()},
    SampleAppConfig: lambda: {"namespace": f"goat{SampleAppConfig.objects.count()}"},
    ModelLogEntry: lambda: {"action": "wagtail.edit"},
    PageLogEntry: lambda: {"action": "wagtail.edit"},
    # Else it is at random, with line breaks, which stand in no path of a route.
    FeatureCompleteToy: lambda: {"strid": f"goat?/{FeatureCompleteToy.objects.count()}"},
    WorkflowContentType: lambda: {
        "content_type": ContentType.objects.filter(wagtail_workflow_content_type=None).first()
    },
    IndexEntry: lambda: {"object_id": f"goat{IndexEntry.objects.count()}"},
    WorkflowState: lambda: {"status": WorkflowState.STATUS_CANCELLED},
    CommunicationEventType: lambda: {"code": f"GOAT_{CommunicationEventType.objects.count()}"},
    get_model("offer", "ConditionalOffer"): lambda: {  # or they are deleted along with it
        "condition": saved(Condition, proxy_class="oscar.apps.offer.conditions.CountCondition"),
        "benefit": saved(Benefit, proxy_class="oscar.apps.offer.benefits.ShippingBenefit"),
    },
    get_model("order", "Line"): lambda: {"quantity": 9},
    get_model("order", "ShippingEventQuantity"): lambda: {"quantity": 1},
    get_model("reviews", "ProductReview"): lambda: {
        "product": saved(get_model("catalogue", "Product"), optional=False)
    },
}
