"""What does Django do with django-mullet when it starts?"""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.backends.signals import connection_created

__all__ = ["MulletConfig"]


class MulletConfig(AppConfig):
    """Registers the system checks, and what tests need to share their connection."""

    name = "django_mullet"
    label = "mullet"

    def ready(self) -> None:
        from django_mullet import checks, schema_checks, sharing

        register(checks.check_settings, "mullet")
        register(checks.check_installed_apps, "mullet", Tags.staticfiles)
        register(checks.check_databases, "mullet")
        register(checks.check_prepared, "mullet", Tags.models)
        register(checks.check_urlconf, "mullet", Tags.urls)
        register(checks.check_application, "mullet")
        register(schema_checks.check_schemas, "mullet", Tags.models)
        connection_created.connect(sharing.remember)
