from apart.base import *

INSTALLED_APPS += [PACKAGE]
