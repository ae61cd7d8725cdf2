"""What is there to read? Rows of every model of the catalogue, with gaps."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection

from tests.catalogue.models import (
    Agent,
    Chapter,
    Edition,
    Illustrated,
    Jacket,
    Keyword,
    Note,
    Person,
    Publisher,
    Sealed,
    Spot,
    Work,
)

__all__ = ["make_rows"]

NUMBER = 7  # of each model, at most


def make_rows(random: Random) -> None:
    """Fill the tables of the catalogue."""
    _count_anew()
    people: list[Any] = []
    for index in range(NUMBER):
        mentor = random.choice([None, *people])
        people.append(Person.objects.create(name=f"person {index % 4}", mentor=mentor))
    for person in people:
        person.friends.set(random.sample(people, random.randrange(3)))
    houses = [Publisher.objects.create(code=code, city=code * 2) for code in ("aa", "bb", "cc")]
    for index in range(NUMBER):
        Agent.objects.create(name=f"agent {index}", house=random.choice(houses).code)
    keywords = [Keyword.objects.create(word=word) for word in ("ant", "bee", "cat", "dog")]
    works = list(_works(random, people, houses))
    for work in works:
        work.editors.set(random.sample(people, random.randrange(3)))
        work.keywords.set(random.sample(keywords, random.randrange(3)))
        _parts_of(work, random)
    _notes(Random(random.random()), [*people, *houses, *Illustrated.objects.order_by("pk")])


def _count_anew() -> None:
    """Have the keys begin with 1, whatever tests before have made: bodies name some of them."""
    tables = {model._meta.db_table for model in apps.get_app_config("catalogue").get_models()}
    sequences = [
        each for each in connection.introspection.sequence_list() if each["table"] in tables
    ]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_by_name_sql(no_style(), sequences):
            cursor.execute(statement)


def _notes(random: Random, subjects: list[Any]) -> None:
    """Make notes about objects of several models, and one about none that there is."""
    for number in range(2 * NUMBER):
        Note.objects.create(about=random.choice(subjects), text=f"note {number % 3}")
    kind = ContentType.objects.get_for_model(Publisher)
    Note.objects.create(content_type=kind, object_id=0, text="note 0")


def _works(random: Random, people: list[Any], houses: list[Any]) -> Iterator[Any]:
    for index in range(2 * NUMBER):
        model = Illustrated if index % 3 == 0 else Work
        values: dict[str, Any] = {"pictures": index} if model is Illustrated else {}
        made = model.objects.create(
            title=f"title {index % 5}",
            pages=random.randrange(4) * 100,
            rating=random.choice([None, Decimal("1.50"), Decimal("3.25")]),
            publisher=random.choice([None, *houses]),
            author=random.choice(people),
            **values,
        )
        yield Work.objects.get(pk=made.pk)


def _parts_of(work: Any, random: Random) -> None:
    if random.random() < 0.6:
        Jacket.objects.create(work=work, colour=random.choice(["red", "blue"]))
    if random.random() < 0.6:
        Spot.objects.create(pk=(f"s{work.pk % 3}", work.pk), work=work)
    for number in range(random.randrange(4)):
        Chapter.objects.create(work=work, number=number, heading=f"heading {number}")
        Edition.objects.create(work=work, year=1990 + number, published=random.random() < 0.6)
    for number in range(random.randrange(3)):
        Note.objects.create(about=work, text=f"note {number}")
        Sealed.objects.create(work=work, mark=f"mark {number}")
