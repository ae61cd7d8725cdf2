"""How is a server that a test starts configured?

As the tests themselves, with the changes that `tests.server.running` passes in the environment.
"""

import json
import os

from tests.settings import *  # noqa: F403

DEBUG = False
ASGI_APPLICATION = os.environ["SERVER_APPLICATION"].replace(":", ".")
DATABASES = json.loads(os.environ["SERVER_DATABASES"])
MULLET = json.loads(os.environ["SERVER_MULLET"])
ROOT_URLCONF = "tests.servers.both_urls"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "[%(name)s %(levelname)s] %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"django.request": {"handlers": ["stderr"], "propagate": False}},
}
