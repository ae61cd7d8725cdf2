"""slowapi: a route is answered so often, and then 429, before it queries."""
