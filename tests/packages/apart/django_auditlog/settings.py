from apart.base import *

INSTALLED_APPS += ["auditlog", PACKAGE]
MIDDLEWARE += ["auditlog.middleware.AuditlogMiddleware"]
