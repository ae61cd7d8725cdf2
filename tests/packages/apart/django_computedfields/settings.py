from apart.base import *

INSTALLED_APPS += ["computedfields", PACKAGE]
