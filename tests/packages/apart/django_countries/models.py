from django.db import models
from django_countries.fields import CountryField

from apart.django_countries.fields import CountriesField
from django_mullet import PreparedWrites


class Person(PreparedWrites, models.Model):
    name = models.CharField(max_length=50)
    country = CountryField()
    born_in = CountryField(null=True, blank=True)
    passports = CountryField(multiple=True, blank=True)
    visas = CountriesField(multiple=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Pet(models.Model):
    name = models.CharField(max_length=50)
    owner = models.ForeignKey(Person, models.CASCADE, related_name="pets")

    def __str__(self) -> str:
        return self.name
