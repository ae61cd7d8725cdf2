"""django-model-utils: models that note times, states and changes of themselves."""
