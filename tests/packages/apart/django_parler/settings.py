from apart.base import *

INSTALLED_APPS += ["parler", PACKAGE]
MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware"]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
PARLER_LANGUAGES = {
    None: [{"code": "en"}, {"code": "de"}],
    "default": {"fallbacks": ["en"], "hide_untranslated": False},
}
PARLER_ENABLE_CACHING = False  # the queries are counted
