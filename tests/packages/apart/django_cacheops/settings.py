from apart.base import *

INSTALLED_APPS += ["cacheops", "apart.shelf"]
CACHEOPS_REDIS = REDIS_URL
CACHEOPS = {"shelf.*": {"ops": "all", "timeout": 60}}
