"""django-countries: values that are objects, of which a column holds the codes."""
