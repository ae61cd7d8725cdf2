"""On which Django do the tests run?

`DATABASE_URL` chooses the database; without it, that is SQLite in memory.
"""

import os
from typing import Any


def database(url: str | None, name: str) -> dict[str, Any]:
    """Return the settings of the database `name`, which the tests create and drop."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", "postgres"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": parts.get("port", ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": f"test_{name}"},
    }


DATABASES = {
    alias: database(os.environ.get("DATABASE_URL"), f"mullet_{alias}")
    for alias in ("default", "other")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True

INSTALLED_APPS = [
    "django_mullet",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "drf_spectacular_sidecar",
    "tests.catalogue",
    "tests.fieldtypes",
    "tests.relations",  # refers to models of the next
    "tests.library",
    "tests.packaged",
    "tests.tables",
    "tests.testapp",
    "tests.writes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
RELATIONS_GUEST_MODEL = "relations.Visitor"

SILENCED_SYSTEM_CHECKS = [
    "postgres.E005",  # that app would look each new connection's types up
    "models.W038",  # the tests that need a deferrable unique constraint run on PostgreSQL
    "mullet.E004",  # of the tests some have schemas that are wrong on purpose
    "mullet.E005",
]
