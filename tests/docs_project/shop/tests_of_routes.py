"""Does every route of the page answer, and Django behind them?

Named so that Django's runner finds it, and pytest, for which it is no test, does not. It looks
the page's modules up by name, as it is checked without them.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import TestCase
from django.urls import reverse
from fastapi import params
from fastapi.routing import APIRoute, iter_route_contexts

from django_mullet import APIClient
from django_mullet.applications import get_application

MODULES = [
    f"shop.{path.stem}"
    for path in sorted(Path(__file__).parent.glob("[!_]*.py"))
    if not path.stem.startswith("tests")
]


SENT = {
    "title": "V.",
    "username": "ada",
    "email": "ada@example.com",
    "password": "difference engine",
}
TOKEN = "a" * 32  # of Django's CSRF protection; a login gives another


def body_of(route: APIRoute) -> dict[str, Any]:
    """Return what the client is to send."""
    if route.body_field is None:
        return {}
    if isinstance(route.body_field.field_info, params.Form):
        return {"files": {param.alias: b"V." for param in route.dependant.body_params}}
    return {"json": {**SENT, "data": SENT}}


class RouteTests(TestCase):
    databases = "__all__"

    def setUp(self) -> None:
        self.app: Any = get_application()
        included = {context.endpoint for context in iter_route_contexts(self.app.routes)}
        for module in map(import_module, MODULES):
            router: Any = getattr(module, "router", None)
            if router is not None and included.isdisjoint(r.endpoint for r in router.routes):
                self.app.include_router(router, prefix="/api")
        models: Any = import_module("shop.models")
        self.book = models.Book.objects.create(title="Gravity's Rainbow")

    def test_every_route_answers(self) -> None:
        client = APIClient(self.app)
        client.cookies.set("csrftoken", TOKEN, domain="testserver.local")
        sends_token = getattr(settings, "TESTS_SEND_CSRF_TOKEN", True)

        answered = 0
        for context in iter_route_contexts(self.app.routes):
            if not isinstance(context.original_route, APIRoute):
                continue
            url = reverse(str(context.name), args=[self.book.pk] * len(context.param_convertors))
            body = body_of(context.original_route)
            for method in context.methods or ():
                with self.subTest(method=method, url=url):
                    headers = {"X-CSRFToken": client.cookies["csrftoken"]} if sends_token else {}
                    response = client.request(method, url, headers=headers, **body)
                    # Who calls is a matter of the page's own tests.
                    assert response.status_code < 300 or response.status_code == 401, response.text
                    answered += 1
        assert answered > 0

    def test_django_answers_the_rest(self) -> None:
        response = APIClient(self.app).get("/admin/", follow_redirects=False)

        assert response.headers["location"] == "/admin/login/?next=/admin/"
