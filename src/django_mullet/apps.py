"""What does Django do with django-mullet when it starts?"""

from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.utils.autoreload import autoreload_started

from django_mullet.reloading import end_without_apps, is_reloaded

__all__ = ["MulletConfig"]


class MulletConfig(AppConfig):
    """Registers the system checks, and what tests need to share their connection."""

    name = "django_mullet"
    label = "mullet"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_reloaded():
            # Now, as `ready()` is not called where the module of a model fails.
            autoreload_started.connect(end_without_apps)

    def ready(self) -> None:
        from django_mullet import checks, schema_checks, sharing

        register(checks.check_settings, "mullet")
        register(checks.check_installed_apps, "mullet", Tags.staticfiles)
        register(checks.check_databases, "mullet")
        register(checks.check_prepared, "mullet", Tags.models)
        register(checks.check_prepared_queries, "mullet", Tags.database)
        register(checks.check_urlconf, "mullet", Tags.urls)
        register(checks.check_application, "mullet")
        register(schema_checks.check_schemas, "mullet", Tags.models)
        connection_created.connect(sharing.remember)
