from apart.base import *

INSTALLED_APPS += ["pgtrigger", "pghistory", PACKAGE]
MIDDLEWARE += ["pghistory.middleware.HistoryMiddleware"]
# There are no migrations of the tests' models, which would install what the triggers are made of.
PGTRIGGER_INSTALL_ON_MIGRATE = True
PGHISTORY_INSTALL_CONTEXT_FUNC_ON_MIGRATE = True
