"""Has every model a schema, with all of its fields?"""

from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from wagtail.models import AbstractPage
from wagtail.test.customuser.models import CustomUser

from django_mullet import annotation_of, schema_for
from django_mullet.checks.schemas import messages_of
from django_mullet.codegen.schema_for import source_for
from project.registry import (
    PACKAGES,
    Model,
    component_of,
    fields_of,
    is_left_out,
    models_of_packages,
    package_of,
    schema_of,
)

each_model = pytest.mark.parametrize(
    "model", models_of_packages(), ids=lambda model: model._meta.label
)


def test_there_are_as_many_models_as_the_packages_have() -> None:
    found = Counter(map(package_of, models_of_packages()))

    assert found == {
        "actstream": 2,
        "allauth": 12,
        "auditlog": 1,
        "axes": 4,
        "cms": 69,
        "django": 9,
        "django_celery_beat": 6,
        "django_celery_results": 3,
        "django_otp": 5,
        "djstripe": 62,
        "easy_thumbnails": 3,
        "filer": 7,
        "helpdesk": 26,
        "machina": 14,
        "menus": 1,
        "oauth2_provider": 6,
        "oscar": 93,
        "post_office": 5,
        "reversion": 2,
        "taggit": 2,
        "waffle": 5,
        "wagtail": 266 if connection.vendor == "sqlite" else 265,  # for its search
    }
    assert set(found) == set(PACKAGES)


def test_none_is_left_out_but_that_of_a_package_which_oscar_needs() -> None:
    every = {model._meta.label for model in apps.get_models(include_auto_created=True)}

    assert every - {model._meta.label for model in models_of_packages()} == {"thumbnail.KVStore"}


@each_model
def test_a_schema_has_every_column_and_relation(model: Model) -> None:
    names = {field.attname for field in model._meta.concrete_fields}
    names |= {field.name for field in model._meta.many_to_many}
    for base in model.__mro__:
        links = base._meta.parents.values() if hasattr(base, "_meta") else ()
        names -= {link.attname for link in links if link is not None}

    schema = schema_of(model)

    assert {*schema.model_fields, *filter(lambda name: is_left_out(model, name), names)} == names
    assert schema.django_model() is model
    assert list(messages_of(schema)) == []


@each_model
def test_a_schema_is_the_same_when_it_is_written_out(model: Model) -> None:
    names: dict[str, Any] = {}

    exec(source_for(model, fields=fields_of(model), name=component_of(model)), names)

    written = names[component_of(model)]
    fields, known = written.model_fields, schema_of(model).model_fields
    assert {name: (info.annotation, info.metadata) for name, info in fields.items()} == {
        name: (info.annotation, info.metadata) for name, info in known.items()
    }


def test_a_proxy_is_what_its_model_is() -> None:
    proxies = [model for model in models_of_packages() if model._meta.proxy]

    assert len(proxies) == 15
    for proxy in proxies:
        concrete = proxy._meta.concrete_model
        assert fields_of(proxy) == fields_of(concrete)


def test_a_swapped_model_has_none_and_what_it_is_swapped_for_has() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"swapped for 'customuser\.CustomUser'"):
        schema_for(User)

    assert CustomUser in models_of_packages()


def test_an_abstract_model_has_none() -> None:
    with pytest.raises(ImproperlyConfigured, match="'AbstractPage' is abstract"):
        schema_for(AbstractPage)


def test_a_key_of_another_type_is_what_its_field_is_registered_as() -> None:
    assert annotation_of(CustomUser._meta.pk) is int
