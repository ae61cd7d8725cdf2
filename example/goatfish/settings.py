"""Django's settings, read from the environment; without any, for a try on this machine."""

import json
import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from goatfish import databases

BASE_DIR = Path(__file__).resolve().parent.parent

# `manage.py demo` keeps its secrets in this file, which version control ignores.
CREDENTIALS_FILE = Path(os.environ.get("GOATFISH_CREDENTIALS", BASE_DIR / ".credentials.json"))


def stored_secret_key() -> str | None:
    if not CREDENTIALS_FILE.exists():
        return None
    return str(json.loads(CREDENTIALS_FILE.read_text())["secret_key"])


# A random key is good for one process: signed cookies do not outlive it.
SECRET_KEY = os.environ.get("SECRET_KEY") or stored_secret_key() or get_random_secret_key()
DEBUG = os.environ.get("DEBUG", "false").lower() in {"1", "true", "yes", "on"}
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "main",
    # Before staticfiles, whose runserver it replaces.
    "django_mullet",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # The files of the API's documentation pages.
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # In DEBUG, staticfiles serves them.
    *([] if DEBUG else ["whitenoise.middleware.WhiteNoiseMiddleware"]),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "goatfish.urls"
ASGI_APPLICATION = "goatfish.asgi.app"
WSGI_APPLICATION = "goatfish.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
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

DATABASES = {
    "default": databases.from_url(
        os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "main.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
# The files are served from the apps that bring them: there is nothing to collect.
WHITENOISE_USE_FINDERS = True
