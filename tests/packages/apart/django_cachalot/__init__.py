"""django-cachalot: querysets are answered from a cache, until a table of theirs changes."""
