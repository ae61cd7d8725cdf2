"""What does a server fork that has loaded the application, and used it, before its workers?"""

from fastapi.testclient import TestClient

from tests.servers.site import app

__all__ = ["app"]

# So that there are workers and a connection which the forked processes must not use.
for path in ("/api/def/count", "/api/async/count", "/django/count"):
    assert TestClient(app).get(path).status_code == 200
