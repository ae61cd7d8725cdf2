from apart.base import *

INSTALLED_APPS += ["phonenumber_field", PACKAGE]
PHONENUMBER_DEFAULT_REGION = "CH"
