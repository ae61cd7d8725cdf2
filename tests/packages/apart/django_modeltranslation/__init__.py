"""django-modeltranslation: each language has a column, and "name" means the active one."""
