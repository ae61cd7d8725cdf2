"""django-fsm-2: states that only transitions set."""
