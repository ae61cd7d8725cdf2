"""Does Django say of requests and signals what it is asked?"""

from typing import Any

import pytest
from django.core import signals
from django.db import transaction
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory
from fastapi import Request

from django_mullet._compat import django


@pytest.mark.django_db
def test_django_names_the_handler_when_a_response_is_closed() -> None:
    senders: list[Any] = []

    def note(sender: Any, **kwargs: Any) -> None:
        senders.append(sender)

    response = HttpResponse()
    signals.request_finished.connect(note)
    try:
        django.set_handler_class(response, Request)
        response.close()
    finally:
        signals.request_finished.disconnect(note)

    assert senders == [Request]


def test_django_notes_exemptions_from_atomic_requests_on_the_view() -> None:
    @transaction.non_atomic_requests
    @transaction.non_atomic_requests(using="other")
    def view() -> None: ...

    assert django.non_atomic_aliases(view) == {"default", "other"}
    assert django.non_atomic_aliases(lambda: None) == set()


@pytest.mark.parametrize("enforce", [True, False])
def test_django_s_test_client_says_whether_it_wants_csrf_checks(enforce: bool) -> None:
    request = Client(enforce_csrf_checks=enforce).get("/admin/login/").wsgi_request
    other = RequestFactory().post("/")
    middleware = CsrfViewMiddleware(lambda _: HttpResponse())

    assert django.passes_csrf_checks(request) is not enforce
    assert middleware.process_view(other, HttpResponse, (), {}) is not None
    assert not django.passes_csrf_checks(other)
    django.let_pass_csrf_checks(other)
    assert django.passes_csrf_checks(other)
    assert middleware.process_view(other, HttpResponse, (), {}) is None
