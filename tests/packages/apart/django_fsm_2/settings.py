from apart.base import *

INSTALLED_APPS += ["django_fsm", PACKAGE]
