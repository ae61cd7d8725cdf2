from apart.base import *

INSTALLED_APPS += ["tree_queries", PACKAGE]
