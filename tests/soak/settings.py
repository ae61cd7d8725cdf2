"""How is the server of the soak test configured?

Each of its processes has a name of its own in `pg_stat_activity`.
"""

import logging
import os
import time

from tests.isolation.matrix import TENANCIES
from tests.servers.settings import *  # noqa: F403
from tests.servers.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE


class Timed(logging.Formatter):
    """Begins each line with the time by the clock of the soak test's report."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{time.monotonic():.3f} {os.getpid()} {super().format(record)}"


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"timed": {"()": Timed, "format": "[%(name)s %(levelname)s] %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "timed"}},
    "loggers": {
        name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
        for name in ("django", "asyncio", "uvicorn.error")
    },
}

DATABASES["default"]["ATOMIC_REQUESTS"] = True
DATABASES["default"]["OPTIONS"] = {"application_name": f"soak-{os.getpid()}"}
ROOT_URLCONF = "tests.soak.urls"

TENANCY = TENANCIES["rls-yield"]
"""How the routes of the isolation test, which are served too, set the tenant."""

INSTALLED_APPS = [*INSTALLED_APPS, "tests.isolation"]
MIDDLEWARE = [*MIDDLEWARE, "tests.soak.middleware.TenantIfNamed"]
