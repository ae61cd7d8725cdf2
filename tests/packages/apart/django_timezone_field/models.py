from django.db import models
from timezone_field import TimeZoneField

from django_mullet import PreparedWrites


class City(PreparedWrites, models.Model):
    name = models.CharField(max_length=50)
    zone = TimeZoneField()
    summer_zone = TimeZoneField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Street(models.Model):
    name = models.CharField(max_length=50)
    city = models.ForeignKey(City, models.CASCADE, related_name="streets")

    def __str__(self) -> str:
        return self.name
