"""The settings of every Django peer, and the app."""

import os

from base_settings import *  # noqa: F403
from base_settings import INSTALLED_APPS

INSTALLED_APPS = ["django_bolt", *INSTALLED_APPS]
BOLT_API = [os.environ["BOLT_API"]]
