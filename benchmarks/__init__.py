"""What does a request cost, here and elsewhere? `python -m benchmarks`."""
