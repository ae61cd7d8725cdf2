from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

from apart.base import *
from apart.opentelemetry.recorder import PROVIDER

INSTALLED_APPS += ["apart.shelf"]
ROOT_URLCONF = "apart.shelf.urls"
PsycopgInstrumentor().instrument(tracer_provider=PROVIDER)
