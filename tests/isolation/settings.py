"""How is a server of the isolation test configured?

As in production: no `DEBUG`, no test environment. What differs from server to server comes from
the environment.
"""

import json
import os

from psycopg.conninfo import conninfo_to_dict

from tests.isolation.matrix import TENANCIES

TENANCY = TENANCIES[os.environ["ISOLATION_TENANCY"]]
MULLET = json.loads(os.environ["ISOLATION_MULLET"])

THREADS = 4
"""Of the self-check that hops to any thread: they have connections of their own."""

_CONNECTIONS = {
    "kept": {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True},
    "closed": {"CONN_MAX_AGE": 0},
    "pool": {"OPTIONS": {"pool": {"min_size": 1, "max_size": MULLET["CONNECTIONS"] + THREADS}}},
}
_parts = conninfo_to_dict(os.environ["DATABASE_URL"])

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _parts["dbname"],
        "USER": _parts["user"],
        "PASSWORD": _parts.get("password", ""),
        "HOST": _parts.get("host", ""),
        "PORT": _parts.get("port", ""),
    }
    | _CONNECTIONS[os.environ["ISOLATION_CONNECTIONS"]]
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django_mullet", "tests.isolation"]

if TENANCY.schemas:
    DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"
    DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
    TENANT_MODEL = "accounts.Tenant"
    TENANT_DOMAIN_MODEL = "accounts.Domain"
    TENANT_APPS = ["tests.isolation"]
    SHARED_APPS = ["django_tenants", "tests.isolation.accounts", "django.contrib.contenttypes"]
    INSTALLED_APPS = [*SHARED_APPS, "django_mullet", *TENANT_APPS]

MIDDLEWARE = list(TENANCY.around_views)
ROOT_URLCONF = "tests.isolation.urls"
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
DEBUG = False
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["stderr"], "propagate": False}},
}

globals().update(TENANCY.settings)
