"""django-computedfields: columns that are computed when what they depend on is saved."""
