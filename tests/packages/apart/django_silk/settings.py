from apart.base import *

INSTALLED_APPS += ["silk", "apart.shelf"]
MIDDLEWARE = ["silk.middleware.SilkyMiddleware"]
ROOT_URLCONF = f"{PACKAGE}.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
