from django.apps import AppConfig


class CountriesConfig(AppConfig):
    name = "apart.django_countries"
    label = "apart_countries"
