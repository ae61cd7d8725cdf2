"""Do sessions, users, CSRF checks and languages work in FastAPI's routes?"""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.test import modify_settings, override_settings
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, HTTPException, Request

from django_mullet import APIClient, APIRouter, DjangoRequest
from tests.middleware.serving import client, named

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site() -> APIClient:
    router = APIRouter(django_middleware=True)

    @router.get("/me")
    def me(request: DjangoRequest) -> str:
        return request.user.get_username()

    @router.get("/starlette")
    async def starlette(request: Request) -> bool:
        await request.session.aget("x")
        return await sync_to_async(lambda: request.user.is_authenticated)()

    @router.post("/count")
    def count(request: DjangoRequest) -> int:
        request.session["count"] = request.session.get("count", 0) + 1
        return request.session["count"]

    @router.post("/exempt")
    @csrf_exempt
    def exempt(number: int) -> int:
        return number

    @router.post("/login")
    @csrf_exempt
    def log_in(request: DjangoRequest) -> None:
        login(request, User.objects.get())

    @router.get("/language")
    async def language() -> str:
        return translation.get_language()

    @router.get("/match")
    def match(request: DjangoRequest) -> str:
        assert request.resolver_match is request.resolver_match
        return f"{request.resolver_match.url_name} {request.resolver_match.route}"

    @router.get("/missing")
    def missing() -> None:
        raise HTTPException(404)

    return client(router)


def test_the_user_is_django_s(site: APIClient) -> None:
    user = User.objects.create_user("anna")

    assert site.get("/me").json() == ""
    site.force_login(user)
    assert site.get("/me").json() == "anna"
    assert site.get("/starlette").json() is True


def test_an_endpoint_may_log_in(site: APIClient) -> None:
    User.objects.create_user("anna")

    site.post("/login")

    assert site.get("/me").json() == "anna"


def test_unsafe_methods_need_a_token(site: APIClient) -> None:
    assert site.post("/count").status_code == 403
    assert site.post("/exempt?number=3").json() == 3
    site.cookies.set("csrftoken", "a" * 32)
    for expected in (1, 2):
        answer = site.post("/count", headers={"X-CSRFToken": "a" * 32})
        assert answer.json() == expected


def test_the_language_is_that_of_the_request(site: APIClient) -> None:
    assert site.get("/language", headers={"Accept-Language": "de"}).json() == "de"
    assert site.get("/language").json() == "en"


def test_the_route_is_what_django_resolved(site: APIClient) -> None:
    assert site.get("/match").json() == "match /match"


def test_the_route_has_the_prefixes_of_its_routers() -> None:
    router = APIRouter(prefix="/inner", django_middleware=named("Phases"))

    @router.get("/{number}")
    def match(request: DjangoRequest, number: int) -> str:
        return request.resolver_match.route

    app = FastAPI()
    app.include_router(router, prefix="/outer")

    assert APIClient(app).get("/outer/inner/7").json() == "/outer/inner/{number}"


def test_a_404_of_the_endpoint_stays_one(site: APIClient) -> None:
    assert site.get("/missing").json() == {"detail": "Not Found"}


def test_changed_settings_count(site: APIClient) -> None:
    with modify_settings(MIDDLEWARE={"append": "tests.django_middleware.Phases"}):
        assert "x-phases" in site.get("/me").headers
    with override_settings(SECURE_REFERRER_POLICY="origin"):
        assert site.get("/me").headers["referrer-policy"] == "origin"
    assert "x-phases" not in site.get("/me").headers
