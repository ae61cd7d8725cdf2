from django.conf import settings
from django.core.management.base import BaseCommand

from main.demo import Credentials, create_data


class Command(BaseCommand):
    help = "Creates an administrator, an API user and some simulations."

    def handle(self, **_options: object) -> None:
        create_data(Credentials.load_or_create(settings.CREDENTIALS_FILE))
        self.stdout.write(f"The credentials are in {settings.CREDENTIALS_FILE}.")
