from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

from apart.base import *
from apart.opentelemetry.recorder import PROVIDER

INSTALLED_APPS += [PACKAGE]
ROOT_URLCONF = f"{PACKAGE}.urls"
PsycopgInstrumentor().instrument(tracer_provider=PROVIDER)
