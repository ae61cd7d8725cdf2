from apart.base import *

INSTALLED_APPS += ["timezone_field", PACKAGE]
