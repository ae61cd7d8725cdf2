"""Is what schemas show of querysets what plain Django reads, and what bodies write what it writes?

Random schemas, random querysets, random bodies. `python -m tests.differential --number 50000
--writes 5000` makes that many comparisons; a few are in the suite.
"""
