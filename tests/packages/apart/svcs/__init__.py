"""svcs: its container makes the services of a route, which write in the transaction."""
