"""How is a server configured that serves Django alone?"""

from tests.servers.settings import *  # noqa: F403
from tests.servers.settings import INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "django_mullet"]
ROOT_URLCONF = "tests.servers.plain_urls"
