"""django-dirtyfields: instances know what of them is not saved."""
