from apart.base import *

INSTALLED_APPS += ["mptt", PACKAGE]
