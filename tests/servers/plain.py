"""The same Django views without django-mullet, as Django itself serves them."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.servers.plain_settings"
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

asgi = get_asgi_application()
wsgi = get_wsgi_application()
