"""The settings of every Django peer, and the framework's own mode for production."""

from base_settings import *  # noqa: F403

DMR_SETTINGS = {"validate_responses": False}
