"""The project's own application: it registers fields of packages."""

from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        import_module("project.fields")
