"""The settings of every Django peer; django-ninja needs none."""

from base_settings import *  # noqa: F403
