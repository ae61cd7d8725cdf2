"""The model that the argument of a command names."""

from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError

__all__ = ["model_of"]


def model_of(label: str) -> Any:
    """Return the model of a label, "shop.Book"; raise `CommandError` if there is none."""
    app_label, dot, name = label.partition(".")
    if not dot or "." in name:
        raise CommandError(f"There is no model '{label}': write it as 'shop.Book'.")
    try:
        config = apps.get_app_config(app_label)
    except LookupError:
        raise CommandError(
            f"There is no model '{label}', as no app in INSTALLED_APPS has the label "
            f"'{app_label}': {_installed(app_label)}"
        ) from None
    try:
        return config.get_model(name)
    except LookupError:
        models = ", ".join(sorted(f"'{app_label}.{each.__name__}'" for each in config.get_models()))
        has = f"it has {models}" if models else f"'{config.name}.models' has none"
        raise CommandError(f"There is no model '{name}' in the app '{app_label}': {has}.") from None


def _installed(app_label: str) -> str:
    """Say what to write in the settings, or instead of the label."""
    labels = {config.name: config.label for config in apps.get_app_configs()}
    if app_label in labels:  # the name of an app that has another label
        return f"write '{labels[app_label]}' for it."
    if close := get_close_matches(app_label, labels.values()):
        return f"is it '{close[0]}'?"
    return f"add '{app_label}' there, or the dotted path of its package."
