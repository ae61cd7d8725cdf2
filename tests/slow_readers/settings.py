"""How is the server configured that is read from slowly? As in production, and by `running`.

`SLOW_READERS_FILES` names the directory with the file that is served.
"""

import os

from tests.servers.settings import *  # noqa: F403
from tests.servers.settings import MIDDLEWARE
from tests.slow_readers.scenarios import WITH_WHITENOISE

ROOT_URLCONF = "tests.slow_readers.urls"
STATIC_ROOT = os.environ["SLOW_READERS_FILES"]
if WITH_WHITENOISE:
    MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware", *MIDDLEWARE]
