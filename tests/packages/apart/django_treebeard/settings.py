from apart.base import *

INSTALLED_APPS += ["treebeard", PACKAGE]
