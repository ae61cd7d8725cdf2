"""A field of django-countries for several of them, which are a list in a schema and in JSON."""

from typing import Any

from django_countries.fields import CountryField

from django_mullet.field_types import register


class CountriesField(CountryField):
    pass


def read_countries(field: CountryField, countries: Any) -> list[str]:
    return [country.code for country in countries]


register(
    CountriesField,
    annotation=list[str],
    limits=lambda field: {},
    read=read_countries,
    write=lambda field, codes: codes,
)
