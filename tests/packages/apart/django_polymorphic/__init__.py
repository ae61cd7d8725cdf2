"""django-polymorphic: what relations lead to is shown as the model that it is."""
