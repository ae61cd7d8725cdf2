"""django-phonenumber-field: values that are objects, of which a column holds texts."""
