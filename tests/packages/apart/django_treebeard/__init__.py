"""django-treebeard: a tree that only its methods grow and move."""
