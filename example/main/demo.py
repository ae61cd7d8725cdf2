"""The rows to try the project with: two users, some simulations, and their secrets."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import transaction
from django.utils.crypto import get_random_string

from main.models import Simulation, User, generate_api_key

ADMIN_USERNAME = "admin"
API_USERNAME = "goatfish"
SIMULATIONS = [
    ("Reef at dawn", date(2026, 3, 1), date(2026, 3, 14)),
    ("Whiskers in the sand", date(2026, 4, 1), date(2026, 6, 30)),
    ("A hundred years of parrotfish", date(2026, 1, 1), date(2125, 12, 31)),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The secrets of a demo, kept in a file that only its owner can read."""

    secret_key: str
    admin_password: str
    api_key: str

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """The file's credentials; at the first call random ones, written to the file."""
        if path.exists():
            return cls(**json.loads(path.read_text()))
        credentials = cls(
            secret_key=settings.SECRET_KEY,
            admin_password=get_random_string(20),
            api_key=generate_api_key(),
        )
        credentials.write(path)
        return credentials

    def write(self, path: Path) -> None:
        # Under another name first: whoever reads the file reads all of it.
        unfinished = path.with_name(f"{path.name}.{get_random_string(8)}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file, indent=2)
        unfinished.replace(path)


@transaction.atomic
def create_data(credentials: Credentials) -> None:
    """Create what is missing, and let the credentials in, whatever they were before."""
    create_admin(credentials.admin_password)
    user, created = User.objects.update_or_create(
        username=API_USERNAME, defaults={"api_key": credentials.api_key, "is_active": True}
    )
    if created:
        user.set_unusable_password()
        user.save()
        Simulation.objects.bulk_create(
            Simulation(user=user, name=name, start_date=start, end_date=end)
            for name, start, end in SIMULATIONS
        )


def create_admin(password: str) -> None:
    admin, _ = User.objects.update_or_create(
        username=ADMIN_USERNAME,
        defaults={"is_active": True, "is_staff": True, "is_superuser": True},
    )
    # An unchanged password keeps its hash, and with it the sessions.
    if not admin.check_password(password):
        admin.set_password(password)
        admin.save()
