from apart.base import *

INSTALLED_APPS += ["safedelete", PACKAGE]
