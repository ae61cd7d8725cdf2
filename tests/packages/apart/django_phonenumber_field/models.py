from django.db import models
from phonenumber_field.modelfields import PhoneNumberField

from django_mullet import PreparedWrites


class Person(PreparedWrites, models.Model):
    name = models.CharField(max_length=50)
    number = PhoneNumberField()
    fax = PhoneNumberField(blank=True)

    def __str__(self) -> str:
        return self.name


class Pet(models.Model):
    name = models.CharField(max_length=50)
    owner = models.ForeignKey(Person, models.CASCADE, related_name="pets")

    def __str__(self) -> str:
        return self.name
