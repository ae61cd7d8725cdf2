from apart.base import *

INSTALLED_APPS = ["modeltranslation", *INSTALLED_APPS, PACKAGE]
MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware"]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
