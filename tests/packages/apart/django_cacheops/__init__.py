"""django-cacheops: querysets are answered from Redis, until a row of what they asked changes."""

NEEDS = ("redis",)
