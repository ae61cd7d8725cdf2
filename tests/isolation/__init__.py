"""Does a request ever see the rows of another tenant?

`python -m tests.isolation` serves the same endpoints with each way of keeping tenants apart that
lives in a database session, and with each way of keeping connections; it sends the requests of
several tenants at once, and looks at every row that came back. `make isolation` runs it.
"""
