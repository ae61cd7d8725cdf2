"""sentry-sdk: a transaction for each request, with its queries as spans, and events of errors."""
