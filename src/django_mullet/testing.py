"""A test client that logs users in, and an assertion about query counts."""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.test import Client
from fastapi.testclient import TestClient

from django_mullet.execution.query_log import QueryLog

__all__ = ["APIClient", "assert_constant_queries"]


class APIClient(TestClient):
    """FastAPI's test client with the logins of `django.test.Client`.

    Works in every test case of Django: in a `TestCase` the requests see what the test has written.
    """

    def force_login(self, user: AbstractBaseUser, backend: str | None = None) -> None:
        """Log the user in without credentials: the next requests carry a new session's cookie.

        `backend` is the dotted path of an authentication backend, by default the first of
        `settings.AUTHENTICATION_BACKENDS` that can load users.
        """
        client = self._session_client()
        client.force_login(cast("Any", user), backend)  # the stubs want the project's own model
        name = settings.SESSION_COOKIE_NAME
        self.cookies.set(name, client.cookies[name].value, domain=self._cookie_domain())

    def logout(self) -> None:
        """Log the user out: delete the session and forget all cookies."""
        self._session_client().logout()
        self.cookies.clear()

    def _cookie_domain(self) -> str:
        """Return the domain of the server's own cookies, so that they replace ours.

        `http.cookiejar` puts hosts without a dot below ".local" (RFC 2965, section 1).
        """
        host = self.base_url.host
        return host if "." in host else f"{host}.local"

    def _session_client(self) -> Client:
        client = Client()
        if session_key := self.cookies.get(settings.SESSION_COOKIE_NAME):
            client.cookies[settings.SESSION_COOKIE_NAME] = session_key
        return client


def assert_constant_queries(request: Callable[[], object], add_rows: Callable[[], object]) -> None:
    """Assert that `request()` makes as many queries with more rows as with few: no N+1.

    Calls `add_rows()` before each of two requests, as without any row there is less to query. For
    a test within a transaction, as of `TestCase`. Raises an `AssertionError` that lists the
    queries of the second request.
    """
    before, after = QueryLog(), QueryLog()
    add_rows()
    before.run(request)
    add_rows()
    after.run(request)
    if len(after.statements) != len(before.statements):
        listed = "".join(f"\n  {sql}" for sql in after.statements)
        raise AssertionError(
            f"{len(before.statements)} queries became {len(after.statements)} with more "
            f"rows:{listed}"
        )
