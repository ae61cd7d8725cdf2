from apart.base import *

INSTALLED_APPS += ["cacheops", PACKAGE]
CACHEOPS_REDIS = REDIS_URL
CACHEOPS = {"django_cacheops.*": {"ops": "all", "timeout": 60}}
