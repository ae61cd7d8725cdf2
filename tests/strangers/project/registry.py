"""Which models are there, and what is the schema of each?"""

from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from django_mullet import ModelSchema, schema_for

PACKAGES = (
    "actstream",
    "allauth",
    "auditlog",
    "axes",
    "cms",
    "django",
    "django_celery_beat",
    "django_celery_results",
    "django_otp",
    "djstripe",
    "easy_thumbnails",
    "filer",
    "helpdesk",
    "machina",
    "menus",
    "oauth2_provider",
    "oscar",
    "post_office",
    "reversion",
    "taggit",
    "waffle",
    "wagtail",
)

Model = type[models.Model]


def package_of(model: Model) -> str:
    return apps.get_app_config(model._meta.app_label).name.partition(".")[0]


def models_of_packages() -> list[Model]:
    """Return every model that is no abstract or swapped one; those between two models too."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if package_of(model) in PACKAGES]


def fields_of(model: Model) -> list[str]:
    """Return all that a row has, what looks like a secret too; but not the hash of a password.

    Nor what is not for others, as text made of Markdown: `_description_rendered`.
    """
    columns = [
        field.attname
        for field in model._meta.concrete_fields
        if not getattr(field.remote_field, "parent_link", False)
    ]
    names = [*columns, *(field.name for field in model._meta.many_to_many)]
    return [name for name in names if not is_left_out(model, name)]


def is_left_out(model: Model, name: str) -> bool:
    return name.startswith("_") or is_password(model, name)


def is_password(model: Model, name: str) -> bool:
    return name == "password" and issubclass(model, AbstractBaseUser)


def component_of(model: Model) -> str:
    """Return a name that no other model has, whatever else is installed: `OrderLine`."""
    return f"{model._meta.app_label.title()}{model.__name__}".replace("_", "")


@cache
def schema_of(model: Model) -> type[ModelSchema[Any]]:
    return schema_for(model, fields=fields_of(model), name=component_of(model))
