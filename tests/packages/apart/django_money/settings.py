from apart.base import *

INSTALLED_APPS += ["djmoney", PACKAGE]
