"""Make django-mullet's the default route class, in every process that has this on its path."""

import django
from django.conf import settings
from fastapi import APIRouter

settings.configure(
    SECRET_KEY="only-for-tests",
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django_mullet"],
    USE_TZ=True,
)
django.setup()

from django_mullet import DjangoRoute

APIRouter.__init__.__kwdefaults__["route_class"] = DjangoRoute
