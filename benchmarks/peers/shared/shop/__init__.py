"""The Django app that every Django peer serves."""
