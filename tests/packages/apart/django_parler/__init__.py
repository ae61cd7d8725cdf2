"""django-parler: translations are rows of a table of their own, read by attributes of the model."""
