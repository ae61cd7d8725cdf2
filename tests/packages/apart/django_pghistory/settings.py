from apart.base import *

INSTALLED_APPS += ["pgtrigger", "pghistory", PACKAGE]
MIDDLEWARE += ["pghistory.middleware.HistoryMiddleware"]
# There are no migrations, which would install the triggers.
PGTRIGGER_INSTALL_ON_MIGRATE = True
