"""django-cte: common table expressions, by a subclass of Django's Query and of its compilers."""
