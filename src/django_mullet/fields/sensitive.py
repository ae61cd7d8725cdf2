"""Fields that no API shows, or takes, by accident: passwords, permissions."""

import re
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

__all__ = ["grants", "is_secret"]

_SECRET = re.compile(
    r"(^|_)("
    r"(api|access|activation|auth|confirmation|encryption|hmac|licen[cs]e|ping|pre_?shared|private"
    r"|recovery|reset|session|shared|signing|verification|webhook)_?(key|code|hash)s?"
    r"|(backup|recovery|reset|verification|login|one_?time)_?codes?"
    r"|credentials?|cvv|hotp|mfa|otp|passcode|passphrase|passw(or)?d|pin|psk|pwd|salt|secrets?"
    r"|session_data|tokens?|totp"
    r")(_|$)"
)
"""Names of columns that hold what somebody proves something with."""

_HOLDER = re.compile(
    r"(^|_)(api_?key|authenticator|confirmation|credential|device|invitation|key|otp|secret"
    r"|session|token)s?$"
)
"""Names of models of which a column by the name of `_HELD` is such a secret: `Token.key`."""

_HELD = re.compile(r"^(hashed_)?(code|data|digest|hash|key|value)$")

_SECRET_TYPE = re.compile(r"Encrypted|Fernet|Hashed|Password|Secret")
"""Names of the classes of fields that packages keep secrets in."""

_TELLS_NOTHING = (
    models.BooleanField,
    models.DateField,
    models.DecimalField,
    models.DurationField,
    models.FloatField,
    models.IntegerField,
    models.TimeField,
)
"""What is about a secret rather than one: `max_tokens`, `password_changed_at`."""

_NUMBER = re.compile(r"(^|_)(cvv|otp|passcode|password|pin|totp)$")

_RIGHTS = {"auth.Group", "auth.Permission"}

_GRANT = re.compile(
    r"^(is_(active|admin|moderator|staff|superuser|verified)"
    r"|(user_)?permissions|groups|roles?|scopes?)$"
)
"""Names of fields by which a user may do more."""


def is_secret(field: Any) -> bool:
    """Return whether `field`, a column of a model, is likely to hold a secret.

    By its name, that of its class, and that of its model. So does a foreign key to a secret.
    """
    if field.is_relation:
        return field.concrete and not field.many_to_many and is_secret(field.target_field)
    if any(_SECRET_TYPE.search(each.__name__) for each in type(field).__mro__):
        return True
    name = _words(field.name)
    if isinstance(field, _TELLS_NOTHING):
        return isinstance(field, models.IntegerField) and bool(_NUMBER.search(name))
    if _HELD.search(name) and _HOLDER.search(_words(field.model.__name__)):
        return True
    return bool(_SECRET.search(name))


def grants(field: Any) -> bool:
    """Return whether who sets `field` may make somebody mightier: permissions, `is_superuser`."""
    if field.is_relation and field.related_model._meta.label in _RIGHTS:
        return True
    return issubclass(field.model, AbstractBaseUser) and bool(_GRANT.search(_words(field.name)))


def _words(name: str) -> str:
    """Return `accessToken` and `AccessToken` as `access_token`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
