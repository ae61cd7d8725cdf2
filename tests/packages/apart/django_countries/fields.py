"""A field of django-countries for several of them, which are a list in a schema and in JSON."""

from typing import Any

from django_countries.fields import CountryField

from django_mullet import register_field_type


class CountriesField(CountryField):
    pass


def read_countries(field: CountryField, countries: Any) -> list[str]:
    return [country.code for country in countries]


register_field_type(
    CountriesField,
    annotation=list[str],
    limits=lambda field: {},
    read=read_countries,
    write=lambda field, codes: codes,
)
