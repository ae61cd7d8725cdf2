"""FastAPI in the front, Django in the back.

Serves FastAPI routes over Django's ORM correctly: one request runs in one worker thread on one
database connection, with Django's transactions, signals and test cases, and with the admin on the
same port.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
