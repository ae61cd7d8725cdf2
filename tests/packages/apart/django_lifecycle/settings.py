from apart.base import *

INSTALLED_APPS += ["django_lifecycle_checks", PACKAGE]
