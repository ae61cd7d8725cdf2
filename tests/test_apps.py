import os
import subprocess
import sys

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import override_settings
from fastapi import FastAPI

from django_mullet import mount_django
from django_mullet.execution import borrowed_connections


def test_the_app_is_installed_by_the_package_name() -> None:
    config = apps.get_app_config("mullet")

    assert config.name == "django_mullet"
    assert type(config).__name__ == "MulletConfig"


def test_importing_the_package_imports_neither_django_nor_fastapi() -> None:
    script = "import sys, django_mullet; print({'django', 'fastapi'} & set(sys.modules))"

    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )

    assert output.stdout.strip() == "set()"


@pytest.mark.django_db
def test_the_connections_that_tests_make_are_noted_for_their_workers() -> None:
    shared = borrowed_connections.held_by_test()

    assert connection.in_atomic_block
    assert shared is not None


def test_mounting_django_without_the_app_is_told_off() -> None:
    without = [app for app in settings.INSTALLED_APPS if app != "django_mullet"]

    with (
        override_settings(INSTALLED_APPS=without),
        pytest.raises(ImproperlyConfigured, match="needs 'django_mullet' in INSTALLED_APPS"),
    ):
        mount_django(FastAPI())
