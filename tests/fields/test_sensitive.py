"""Is it known what a draft must not show, and what it must not take?"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser, Group, Permission, User
from django.contrib.sessions.models import Session
from django.db import models
from django.test.utils import isolate_apps

from django_mullet import schema_for
from django_mullet.codegen.schema_for import source_for
from django_mullet.fields.sensitive import grants, is_secret
from tests.library.models import Book

SECRETS = [
    "secret", "client_secret", "token", "tokens", "csrf_token", "accessToken", "access_key",
    "api_key", "apikey", "apiKey", "password", "passwd", "pwd", "passphrase", "password_hash",
    "private_key", "preshared_key", "pre_shared_key", "auth_psk", "wpa_psk", "ping_key",
    "session_key", "session_data", "activation_key", "activation_code", "reset_code", "totp",
    "totp_seed", "otp_secret", "mfa_data", "recovery_codes", "backup_codes",
    "verification_code", "salt", "credentials", "signing_key", "encryption_key", "license_key",
    "webhook_secret", "pin", "cvv",
]  # fmt: skip


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """As packages have it."""


def text() -> Any:
    return models.CharField(max_length=100)


@isolate_apps("tests.library")
def field_of(name: str, field: Any, model_name: str = "Thing") -> Any:
    """Return `field` as the field `name` of a model."""
    meta = type("Meta", (), {"app_label": "library"})
    body = {"__module__": __name__, "Meta": meta, name: field}
    model: Any = type(model_name, (models.Model,), body)
    return model._meta.get_field(name)


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert is_secret(field_of(name, text()))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("key", "Token"),
        ("key", "AuthToken"),
        ("key", "APIKey"),
        ("hashed_key", "APIKey"),
        ("key", "TOTPDevice"),
        ("key", "EmailConfirmation"),
        ("value", "Credential"),
        ("code", "Invitation"),
    ],
)
def test_secrets_are_known_by_the_names_of_their_models(name: str, model: str) -> None:
    assert is_secret(field_of(name, text(), model))
    assert not is_secret(field_of(name, text(), "Book"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: EncryptedTextField(),
        lambda: type("FernetField", (models.TextField,), {})(),
        lambda: type("Hidden", (EncryptedTextField,), {})(),
    ],
)
def test_secrets_are_known_by_the_types_of_fields(make: Callable[[], Any]) -> None:
    assert is_secret(field_of("note", make()))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("max_tokens", models.IntegerField()),
        ("token_count", models.PositiveIntegerField()),
        ("is_secret", models.BooleanField()),
        ("password_changed_at", models.DateTimeField()),
        ("tokenizer", text()),
        ("secretary", text()),
        ("keyword", text()),
        ("pinned", text()),
        ("spin", text()),
        ("code", text()),
        ("key", text()),
        ("monkey", text()),
    ],
)
def test_what_only_sounds_like_a_secret_is_none(name: str, field: Any) -> None:
    assert not is_secret(field_of(name, field))


@pytest.mark.parametrize("name", ["pin", "card_cvv", "otp"])
def test_a_number_can_be_one(name: str) -> None:
    assert is_secret(field_of(name, models.IntegerField()))


def test_a_key_of_a_secret_shows_it() -> None:
    session = models.ForeignKey(Session, models.CASCADE, related_name="+")
    author = models.ForeignKey(User, models.CASCADE, related_name="+")

    assert is_secret(field_of("visit", session))
    assert not is_secret(field_of("author", author))


class TestGrants:
    @pytest.mark.parametrize(
        "name", ["is_superuser", "is_staff", "is_active", "groups", "user_permissions"]
    )
    def test_are_what_makes_a_user_mightier(self, name: str) -> None:
        assert grants(User._meta.get_field(name))
        assert f"    {name}: ReadOnly[" in source_for(User)
        assert schema_for(User).is_read_only(name)

    @isolate_apps("tests.library")
    def test_are_roles_of_a_user(self) -> None:
        class Member(AbstractUser):
            role = models.CharField(max_length=10)
            city = models.CharField(max_length=10)
            groups: Any = None
            user_permissions: Any = None

            class Meta:
                app_label = "library"

        assert grants(Member._meta.get_field("role"))
        assert not grants(Member._meta.get_field("city"))

    def test_are_permissions_wherever_they_are(self) -> None:
        assert grants(Group._meta.get_field("permissions"))
        assert grants(field_of("groups", models.ManyToManyField(Group, related_name="+")))
        assert grants(field_of("may", models.ForeignKey(Permission, models.CASCADE)))

    def test_are_nothing_else(self) -> None:
        assert not any(grants(field) for field in Book._meta.get_fields())
        assert not grants(User._meta.get_field("email"))
