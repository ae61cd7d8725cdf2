"""Django's settings, with every application of the packages, those of their own tests too.

The packages test themselves with models that use all of their fields in all ways: Wagtail's and
django CMS's come along when they are installed.
"""

import os
from pathlib import Path

import cms
import oscar
from oscar.defaults import *  # noqa: F403 - as Oscar's documentation has it

from tests.settings import database

SECRET_KEY = "only-for-tests"

INSTALLED_APPS = [
    "django_mullet",
    "project",
    "wagtail.test.customuser",  # the user's model, before who refers to it
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.idp.oidc",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid",
    "allauth.usersessions",
    "cms",
    "menus",
    "sekizai",
    *(
        f"cms.test_utils.project.{name}"
        for name in (
            "bunch_of_plugins",
            "extensionapp",
            "fakemlng",
            "mti_pluginapp",
            "objectpermissionsapp",
            "placeholder_relation_field_app",
            "placeholderapp",
            "pluginapp.plugins.link",
            "pluginapp.plugins.manytomany_rel",
            "pluginapp.plugins.meta",
            "pluginapp.plugins.multicolumn",
            "pluginapp.plugins.revdesc",
            "pluginapp.plugins.style",
            "sampleapp",
        )
    ),
    "taggit",
    "wagtail.contrib.forms",
    "wagtail.contrib.frontend_cache",
    "wagtail.contrib.redirects",
    "wagtail.contrib.routable_page",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.settings",
    "wagtail.contrib.simple_translation",
    "wagtail.contrib.sitemaps",
    "wagtail.contrib.styleguide",
    "wagtail.contrib.table_block",
    "wagtail.contrib.typed_table_block",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.api.v2",
    "wagtail.locales",
    "wagtail",
    "wagtail.test.basepage",
    "wagtail.test.demosite",
    "wagtail.test.earlypage",
    "wagtail.test.i18n",
    "wagtail.test.routablepage",
    "wagtail.test.snippets",
    "wagtail.test.streamfield_migrations",
    "wagtail.test.testapp.apps.WagtailTestsAppConfig",
    "modelcluster",
    "rest_framework",
    "actstream",
    "auditlog",
    "axes",
    "django_celery_beat",
    "django_celery_results",
    "django_otp",
    *(f"django_otp.plugins.otp_{name}" for name in ("email", "hotp", "static", "totp")),
    "djstripe",
    "easy_thumbnails",
    "filer",
    "helpdesk",
    "machina",
    *(
        f"machina.apps.{name}"
        for name in (
            "forum",
            "forum_conversation",
            "forum_conversation.forum_attachments",
            "forum_conversation.forum_polls",
            "forum_feeds",
            "forum_member",
            "forum_moderation",
            "forum_permission",
            "forum_search",
            "forum_tracking",
        )
    ),
    "mptt",
    "oauth2_provider",
    "post_office",
    "reversion",
    "waffle",
    "sorl.thumbnail",
    *oscar.INSTALLED_APPS,  # and Django's own
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [Path(cms.__file__).parent / "test_utils" / "project" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "project.urls"

DATABASES = {"default": database(os.environ.get("DATABASE_URL"), "mullet_strangers")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "customuser.CustomUser"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
SITE_ID = 1
STATIC_URL = "static/"

CMS_CONFIRM_VERSION4 = True
CMS_TEMPLATES = [("page.html", "Page")]
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
HELPDESK_TEAMS_MODE_ENABLED = False
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
WAGTAIL_SITE_NAME = "Strangers"
WAGTAILADMIN_BASE_URL = "https://example.org"

BAKER_CUSTOM_CLASS = "recipes.Baker"
