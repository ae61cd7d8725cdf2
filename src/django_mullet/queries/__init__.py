"""Querysets compiled once and run many times, and how their rows are fetched."""
