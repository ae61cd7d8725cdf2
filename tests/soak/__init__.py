"""Does the whole thing hold for minutes on end, while everything around it fails?

`python -m tests.soak --minutes 10` starts PostgreSQL and a server of two processes, sends it a
random mix of requests, breaks something every few seconds, and then checks each answer in the
database, and whose rows it has shown. Some clients read slowly, and leave in the middle. Every
number in its report comes from outside of the package: from the clients, from PostgreSQL, from the
kernel.

Tenants are kept apart by row-level security, set by a dependency for routes and by middleware for
views. Schemas need django-tenants, which is not in this environment: `make isolation` has those.
"""
