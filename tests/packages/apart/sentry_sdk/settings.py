import sentry_sdk

from apart.base import *
from apart.sentry_sdk.recorder import Recorder

INSTALLED_APPS += ["apart.shelf"]
ROOT_URLCONF = "apart.shelf.urls"

sentry_sdk.init(dsn="https://key@sentry.invalid/1", transport=Recorder, traces_sample_rate=1.0)
