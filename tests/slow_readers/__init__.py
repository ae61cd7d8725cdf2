"""Do clients that read slowly keep anybody else from being answered?

`python -m tests.slow_readers --seconds 60` starts PostgreSQL and a server, has 200 clients read an
answer of 30 MB at 2 kB a second, and meanwhile asks for other things. Those must come about as
fast as they did before. Times are compared within one run only, so a slow machine may run it.
"""
