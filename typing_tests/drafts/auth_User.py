"""What `manage.py schema` prints; checked by mypy and pyright."""

from datetime import datetime

from django_mullet import ModelSchema, ReadOnly

from django.contrib.auth.models import User


class UserSchema(ModelSchema[User]):
    id: int
    last_login: datetime | None
    is_superuser: ReadOnly[bool]
    username: str
    first_name: str
    last_name: str
    email: str
    is_staff: ReadOnly[bool]
    is_active: ReadOnly[bool]
    date_joined: datetime
    groups: ReadOnly[list[int]]
    user_permissions: ReadOnly[list[int]]
    # Left out, as secrets are: password
