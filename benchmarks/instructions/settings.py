"""Django for the workloads: the peers' models, on an SQLite file that is named by a variable."""

import os

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["INSTRUCTIONS_DATABASE"],
        "CONN_MAX_AGE": None,
    }
}
INSTALLED_APPS = ["django_mullet", "django.contrib.auth", "django.contrib.contenttypes", "shop"]
AUTH_USER_MODEL = "shop.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None
MULLET = {"THREADS": 1}
ROOT_URLCONF = "urls"
SECRET_KEY = "only-for-benchmarks"
USE_TZ = True
