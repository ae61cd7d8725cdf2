"""`ModelSchema`: variants, validation, query plans, loading and saving."""
