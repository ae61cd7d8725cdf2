"""What does the installed FastAPI have that the oldest supported one has not?"""

import inspect
from typing import Any

import pytest
from fastapi import Depends, FastAPI

__all__ = ["LIMITS", "needs_body_limits", "needs_dependency_limits"]

_LIMITS_DEPENDENCIES = "max_concurrency" in inspect.signature(Depends).parameters

LIMITS: list[dict[str, Any]] = [{}, {"max_concurrency": 1}] if _LIMITS_DEPENDENCIES else [{}]
"""What `Depends` may be given besides the dependency."""

needs_dependency_limits = pytest.mark.skipif(
    not _LIMITS_DEPENDENCIES, reason="this FastAPI does not limit dependencies"
)
needs_body_limits = pytest.mark.skipif(
    "max_body_size" not in inspect.signature(FastAPI).parameters,
    reason="this FastAPI does not limit bodies",
)
