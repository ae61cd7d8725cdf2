"""The settings of the page, on SQLite, wherever the page keeps its databases."""

from importlib import import_module
from typing import Any

import django

settings: Any = import_module("project.settings")
globals().update({name: value for name, value in vars(settings).items() if name.isupper()})

DATABASES = {
    alias: {
        **database,
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {},
    }
    for alias, database in settings.DATABASES.items()
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if django.VERSION >= (6, 1):  # which warns where mail is sent without it
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
