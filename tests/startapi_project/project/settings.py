"""A project in which `manage.py startapi` writes."""

SECRET_KEY = "only-for-tests"
INSTALLED_APPS = [
    "django_mullet",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "zoo",
]
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.app"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
