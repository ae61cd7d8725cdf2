from apart.base import *

INSTALLED_APPS += ["taggit", PACKAGE]
