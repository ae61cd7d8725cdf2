from apart.base import *

INSTALLED_APPS += ["cachalot", "apart.shelf"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# Then only what Django's compilers execute forgets results, and not what is given to a cursor.
CACHALOT_INVALIDATE_RAW = False
