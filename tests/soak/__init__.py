"""Does the whole thing hold for minutes on end, while everything around it fails?

`python -m tests.soak --minutes 10` starts PostgreSQL and a server of two processes, sends it a
random mix of requests, breaks something every few seconds, and then checks each answer in the
database. Every number in its report comes from outside of the package: from the clients, from
PostgreSQL, from the kernel.
"""
