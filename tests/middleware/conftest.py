import pytest

from tests.django_middleware import noted


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    noted.clear()
