"""OpenTelemetry's instrumentation of FastAPI, Django and psycopg: each span below its request's."""

NEEDS = ("postgres",)
