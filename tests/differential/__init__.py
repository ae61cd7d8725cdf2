"""Is what schemas show of querysets what plain Django reads? Random schemas, random querysets.

`python -m tests.differential --number 100000` makes that many comparisons; a few are in the suite.
"""
