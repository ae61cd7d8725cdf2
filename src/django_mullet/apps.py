"""The app configuration: system checks and signal receivers connected when Django starts."""

from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created
from django.utils.autoreload import autoreload_started

from django_mullet.management.reloader import end_without_apps, is_reloaded

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
        from django_mullet.checks import project, schemas
        from django_mullet.execution import borrowed_connections

        register(project.check_settings, "mullet")
        register(project.check_installed_apps, "mullet", Tags.staticfiles)
        register(project.check_databases, "mullet")
        register(project.check_prepared, "mullet", Tags.models)
        register(project.check_prepared_queries, "mullet", Tags.database)
        register(project.check_urlconf, "mullet", Tags.urls)
        register(project.check_application, "mullet")
        register(schemas.check_schemas, "mullet", Tags.models)
        connection_created.connect(borrowed_connections.remember)
