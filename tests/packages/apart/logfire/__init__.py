"""logfire: a request is a span, with its queries and the spans of one's own below it."""

NEEDS = ("postgres",)
