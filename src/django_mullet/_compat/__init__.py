"""The names of other libraries beyond public API that django-mullet relies on.

One module for each library says which names, why, and which public door is missing. Each name has
a test that fails loudly when it moves (`tests/test_compat.py`), and the suite runs on the oldest
and the newest supported releases.
"""
