from apart.base import *

INSTALLED_APPS += ["reversion", PACKAGE]
MIDDLEWARE += ["reversion.middleware.RevisionMiddleware"]
