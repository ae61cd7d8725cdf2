"""The settings of every Django peer."""

from base_settings import *  # noqa: F403
