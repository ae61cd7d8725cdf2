"""How many instructions does a hot function take? `python -m benchmarks.instructions`."""
