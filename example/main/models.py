"""What is stored, and the shapes in which the API takes and shows it."""

from datetime import date

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.urls import reverse
from django.utils.crypto import get_random_string
from pydantic import ConfigDict

from django_mullet import Collection, FromAPI, ModelSchema

##########
# Models
#


def generate_id() -> str:
    """A random string of 20 letters and digits."""
    return get_random_string(20)


def generate_api_key() -> str:
    """A random string of 40 letters and digits."""
    return get_random_string(40)


class CharIDModel(models.Model):
    """Gives its children a random string for a primary key."""

    id = models.CharField(max_length=30, primary_key=True, default=generate_id, editable=False)

    class Meta:
        abstract = True


class User(AbstractUser):
    api_key = models.CharField("API key", max_length=100, default=generate_api_key, unique=True)


class Simulation(FromAPI, CharIDModel):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=300)
    start_date = models.DateField()
    end_date = models.DateField()

    class Meta:
        ordering = ["start_date", "name", "id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("simulation-get", kwargs={"simulation_id": self.id})


##########
# Types
#


class APISimulation(ModelSchema[Simulation]):
    model_config = ConfigDict(strict=True)

    id: str
    name: str
    start_date: date
    end_date: date


class APISimulations(Collection[APISimulation]):
    pass
