"""What `manage.py schema` prints; checked by mypy and pyright."""

from datetime import datetime

from django_mullet.schemas import ModelSchema

from django.contrib.auth.models import User


class UserSchema(ModelSchema[User]):
    id: int
    last_login: datetime | None
    is_superuser: bool
    username: str
    first_name: str
    last_name: str
    email: str
    is_staff: bool
    is_active: bool
    date_joined: datetime
    groups: list[int]
    user_permissions: list[int]
    # Left out, as secrets are: password
