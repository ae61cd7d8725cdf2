"""The FastAPI application of this project, found by `ASGI_APPLICATION`."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from fastapi import FastAPI

__all__ = ["get_application", "get_application_path"]


def get_application() -> FastAPI:
    """Return the FastAPI instance that `settings.ASGI_APPLICATION` names.

    Imports its module if need be. Raises `ImproperlyConfigured` if the setting is unset, cannot
    be imported or names something else.
    """
    path = get_application_path()
    try:
        application = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"ASGI_APPLICATION = '{path}' could not be imported: {error}. {_advice(error)}"
        ) from error
    if not isinstance(application, FastAPI):
        module, _, name = path.rpartition(".")
        raise ImproperlyConfigured(
            f"ASGI_APPLICATION = '{path}' must name a FastAPI instance, not "
            f"'{type(application).__name__}': write '{name} = FastAPI()' and "
            f"'mount_django({name})' in '{module}'."
        )
    return application


def get_application_path() -> str:
    """Return `settings.ASGI_APPLICATION` without importing what it names.

    Raises `ImproperlyConfigured` if it is unset, no string, or written as servers want it.
    """
    path: object = getattr(settings, "ASGI_APPLICATION", None)
    if not path:
        raise ImproperlyConfigured(
            "The setting 'ASGI_APPLICATION' must name the FastAPI instance: "
            'ASGI_APPLICATION = "myproject.asgi.app".'
        )
    if not isinstance(path, str):
        raise ImproperlyConfigured(
            f"ASGI_APPLICATION must be the dotted path of a FastAPI instance, not {path!r}: "
            'ASGI_APPLICATION = "myproject.asgi.app".'
        )
    if ":" in path:
        raise ImproperlyConfigured(
            f"ASGI_APPLICATION = '{path}' must have a dot where it has a colon: "
            f"'{path.replace(':', '.')}'."
        )
    return path


def _advice(error: ImportError) -> str:
    # As Python says of an attribute of a module that is still being imported.
    if "partially initialized module" in str(error.__cause__):
        return (
            "It is needed while it is imported: modules that it imports must call "
            "'reverse_lazy()', not 'reverse()', at import time."
        )
    return "It must be the dotted path of a FastAPI instance."
