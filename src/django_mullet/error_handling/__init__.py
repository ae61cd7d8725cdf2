"""Errors as responses: handlers, constraints, locations in the body, retries."""
