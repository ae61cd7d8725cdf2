from apart.base import *

INSTALLED_APPS += ["polymorphic", PACKAGE]
