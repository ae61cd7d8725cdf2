from apart.base import *

INSTALLED_APPS += ["silk", PACKAGE]
MIDDLEWARE = ["silk.middleware.SilkyMiddleware"]
ROOT_URLCONF = f"{PACKAGE}.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
