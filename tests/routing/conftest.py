import pytest

from django_mullet import APIRouter


@pytest.fixture
def router() -> APIRouter:
    return APIRouter()
