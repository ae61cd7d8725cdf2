"""django-tree-queries: trees by recursive common table expressions."""
