"""django-taggit: a relation to many that is no field of Django's."""

# What django-taggit calls when a queryset compares a tag.
WARNINGS = ("ignore:SQLCompiler.quote_name_unless_alias",)
