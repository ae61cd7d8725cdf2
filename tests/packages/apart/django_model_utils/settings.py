from apart.base import *

INSTALLED_APPS += ["apart.django_model_utils"]
