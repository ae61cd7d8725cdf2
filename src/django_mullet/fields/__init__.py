"""Model fields: their Python types, and how their values are read, written and cleaned."""
