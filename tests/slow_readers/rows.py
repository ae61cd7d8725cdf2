"""What is in the database of the server that is read from slowly?

`python -m tests.slow_readers.rows` makes the tables and fills them, and prints the key of a
session in which the admin shows everything.
"""

import django
from django.conf import settings
from django.core.management import call_command

from tests.slow_readers.scenarios import ITEM, PIECE, SIZE


def create() -> str:
    """Return the key of the session."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    from tests.testapp.models import Author, Item

    call_command("migrate", verbosity=0, skip_checks=True)
    Item.objects.bulk_create(
        Item(pk=ITEM + number, name=f"Item {number}", n=number) for number in range(SIZE // PIECE)
    )
    Author.objects.bulk_create(Author(name=f"Author {number}") for number in range(10))
    user = User.objects.create_superuser("admin")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


if __name__ == "__main__":
    django.setup()
    print(create())
