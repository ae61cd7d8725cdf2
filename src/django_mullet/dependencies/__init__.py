"""FastAPI's dependencies, adapted to run where Django needs them."""
