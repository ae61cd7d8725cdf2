"""What the settings of every package begin with: `from apart.base import *`."""

import os
from urllib.parse import parse_qs, unquote, urlsplit

PACKAGE = os.environ["DJANGO_SETTINGS_MODULE"].removesuffix(".settings")

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django_mullet",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "apart.urls"
ASGI_APPLICATION = f"{PACKAGE}.api.app"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True


def postgres(url: str) -> dict[str, object]:
    """Return Django's settings of the database at `url`."""
    parts = urlsplit(url)
    [host] = parse_qs(parts.query).get("host", [parts.hostname])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": parts.port or "",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # One server for all packages that need one.
        "TEST": {"NAME": f"test_{PACKAGE.removeprefix('apart.')}"},
    }


# The runner says where these are, to a package that needs them.
REDIS_URL = os.environ.get("REDIS_URL")
DATABASES = {
    "default": postgres(os.environ["DATABASE_URL"])
    if "DATABASE_URL" in os.environ
    else {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
}
