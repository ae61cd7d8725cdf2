"""django-polymorphic: does a queryset of mixed models become their schemas?"""

import pytest
from django.contrib.contenttypes.models import ContentType
from pytest_django.fixtures import DjangoAssertNumQueries

from django_mullet import APIClient
from shop.models import Album, Film, Medium

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api/media/", "/api/media/async/"])
def test_each_row_is_shown_as_what_it_is(
    client: APIClient, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        Film.objects.create(title=f"Film {number}", minutes=90)
        Album.objects.create(title=f"Album {number}", tracks=12)
    ContentType.objects.get_for_model(Medium)  # which Django keeps in memory

    with django_assert_num_queries(3):  # the base and the two kinds
        response = client.get(path)

    assert response.json()[:2] == [
        {"title": "Film 0", "minutes": 90},
        {"title": "Album 0", "tracks": 12},
    ]
    assert len(response.json()) == 6
