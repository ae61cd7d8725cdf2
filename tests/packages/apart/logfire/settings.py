import logfire

from apart.base import *
from apart.logfire.recorder import PROCESSOR

INSTALLED_APPS += ["apart.shelf"]
logfire.configure(
    send_to_logfire=False, console=False, metrics=False, additional_span_processors=[PROCESSOR]
)
logfire.instrument_psycopg("psycopg")
