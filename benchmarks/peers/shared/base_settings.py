"""On which database, and with how little around it, does every Django peer run?

No middleware, no logging, connections that stay open. libpq's own variables name the database.
"""

import os
from typing import Any

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "CONN_MAX_AGE": None,
    }
}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop"]
AUTH_USER_MODEL = "shop.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ALLOWED_HOSTS = ["*"]
LOGGING_CONFIG = None
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "urls"
SECRET_KEY = "only-for-benchmarks"
TIME_ZONE = "UTC"
USE_TZ = True
