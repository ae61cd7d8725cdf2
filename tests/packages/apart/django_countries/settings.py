from apart.base import *

INSTALLED_APPS += ["django_countries", PACKAGE]
