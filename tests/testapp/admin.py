"""What the admin shows."""

from django.contrib import admin

from tests.testapp.models import Author, Item

admin.site.register([Author, Item])
