"""The settings of every Django peer, and the app."""

from base_settings import *  # noqa: F403
from base_settings import INSTALLED_APPS

INSTALLED_APPS = ["django_mullet", *INSTALLED_APPS]
