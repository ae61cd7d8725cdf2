"""django-silk: records the requests, and what the compilers of their querysets execute."""
