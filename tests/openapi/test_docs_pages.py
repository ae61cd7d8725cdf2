import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.templatetags.static import static
from django.test import modify_settings, override_settings
from django.urls import URLPattern
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pytest_django import Settings

from django_mullet import docs_router

urlpatterns: list[URLPattern] = []  # a URLconf without the admin


def get_app(**kwargs: Any) -> FastAPI:
    kwargs = {"title": "Goats & <Fish>", "openapi_url": "/api/openapi.json"} | kwargs
    app = FastAPI(docs_url=None, redoc_url=None, **kwargs)
    app.include_router(docs_router(), prefix="/api")
    return app


def links_of(page: str) -> list[str]:
    return re.findall(r'<a href="([^"]*)"', page)


def get_config(client: TestClient, url: str = "/api/docs") -> dict[str, Any]:
    """Return what the page tells its script."""
    page = client.get(url).text
    match = re.search(r'<script id="swagger-ui-config" type="application/json">(.*)</script>', page)
    assert match is not None
    config: dict[str, Any] = json.loads(match[1])
    return config


class TestPages:
    @pytest.mark.parametrize(
        ("url", "title"),
        [
            ("/api/docs", "Goats & <Fish> - Swagger UI"),
            ("/api/redoc", "Goats & <Fish> - ReDoc"),
            ("/api/docs/oauth2-redirect", "Swagger UI: OAuth2 redirect"),
        ],
    )
    def test_are_html(self, url: str, title: str) -> None:
        response = TestClient(get_app()).get(url)

        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<title>{title}</title>" in unescape(response.text)

    @pytest.mark.parametrize("url", ["/api/docs", "/api/redoc", "/api/docs/oauth2-redirect"])
    def test_load_everything_from_the_static_files(self, url: str) -> None:
        page = TestClient(get_app()).get(url).text

        links = re.findall(r'<(?:script|link)\b[^>]* (?:src|href)="([^"]*)"', page)
        assert links
        for link in links:
            assert link.startswith("/static/")
            assert finders.find(link.removeprefix("/static/")), link

    @pytest.mark.parametrize("url", ["/api/docs", "/api/redoc", "/api/docs/oauth2-redirect"])
    def test_have_no_inline_scripts_and_styles(self, url: str) -> None:
        page = TestClient(get_app()).get(url).text

        assert re.findall(r"<script(?![^>]*(?: src=| type=.application/json))", page) == []
        assert re.findall(r"<style| style=| on\w+=", page) == []

    @pytest.mark.parametrize("url", ["/api/docs", "/api/redoc", "/api/docs/oauth2-redirect"])
    @pytest.mark.parametrize(
        ("static_url", "hosts"),
        [("/static/", "'self'"), ("https://cdn.example.org/x/", "'self' https://cdn.example.org")],
    )
    def test_let_a_browser_load_from_the_own_hosts_only(
        self, url: str, static_url: str, hosts: str
    ) -> None:
        with override_settings(STATIC_URL=static_url):
            response = TestClient(get_app()).get(url)

        policy = response.headers["content-security-policy"]
        assert policy.startswith(f"default-src {hosts}; ")
        assert f"img-src {hosts} data:" in policy

    @pytest.mark.parametrize("url", ["/api/docs", "/api/redoc"])
    def test_are_served_with_a_manifest_of_static_files(self, url: str, tmp_path: Path) -> None:
        backend = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        storages = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}

        with override_settings(STATIC_ROOT=tmp_path, STORAGES=storages):
            call_command("collectstatic", interactive=False, verbosity=0)
            response = TestClient(get_app()).get(url)
        static("")  # the new storage keeps the prefix of its first call, which is not to be "/site"

        assert response.status_code == 200

    def test_are_not_in_the_document(self) -> None:
        assert get_app().openapi()["paths"] == {}

    @pytest.mark.parametrize("url", ["/api/docs", "/api/redoc"])
    def test_are_not_found_without_a_document(self, url: str) -> None:
        response = TestClient(get_app(openapi_url=None)).get(url)

        assert response.status_code == 404
        assert response.json() == {
            "detail": "The OpenAPI document is switched off: give FastAPI() an 'openapi_url'."
        }

    def test_can_be_moved_and_left_out(self) -> None:
        app = FastAPI(docs_url=None, redoc_url=None)
        app.include_router(docs_router(docs_url="/swagger/", redoc_url=None))
        app.include_router(docs_router(docs_url=None, redoc_url="/"), prefix="/reference")
        client = TestClient(app)

        assert get_config(client, "/swagger/")["oauth2RedirectPath"] == "/swagger/oauth2-redirect"
        assert client.get("/reference/").status_code == 200
        assert client.get("/docs").status_code == client.get("/redoc").status_code == 404

    @pytest.mark.parametrize(("page", "other"), [("docs", "redoc"), ("redoc", "docs")])
    def test_lead_on_to_each_other_and_to_the_document_and_the_admin(
        self, page: str, other: str
    ) -> None:
        client = TestClient(get_app(), root_path="/site")

        links = links_of(client.get(f"/site/api/{page}").text)

        assert links == [f"/site/api/{other}", "/site/api/openapi.json", "/site/admin/"]

    def test_lead_to_nothing_that_is_not_there(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = __name__
        app = FastAPI(openapi_url="/api.json", docs_url=None, redoc_url=None)
        app.include_router(docs_router(redoc_url=None))

        assert links_of(TestClient(app).get("/docs").text) == ["/api.json"]

    def test_redoc_reads_the_document_below_the_root_path(self) -> None:
        page = TestClient(get_app(), root_path="/site").get("/site/api/redoc").text

        assert '<redoc spec-url="/site/api/openapi.json">' in page


class TestSwaggerUI:
    def test_is_configured_as_fastapis_own_and_remembers_who_one_is(self) -> None:
        config = get_config(TestClient(get_app()))

        assert config["parameters"] == {
            "url": "/api/openapi.json",
            "persistAuthorization": True,
            "dom_id": "#swagger-ui",
            "layout": "BaseLayout",
            "deepLinking": True,
            "showExtensions": True,
            "showCommonExtensions": True,
        }
        assert config["oauth2RedirectPath"] == "/api/docs/oauth2-redirect"
        assert config["initOAuth"] is None

    def test_takes_the_applications_parameters(self) -> None:
        app = get_app(
            swagger_ui_parameters={"persistAuthorization": False, "filter": "</script>"},
            swagger_ui_init_oauth={"clientId": "goat"},
            swagger_ui_oauth2_redirect_url=None,
        )

        config = get_config(TestClient(app))

        assert config["parameters"]["persistAuthorization"] is False
        assert config["parameters"]["filter"] == "</script>"
        assert config["initOAuth"] == {"clientId": "goat"}
        assert config["oauth2RedirectPath"] is None

    def test_reads_the_document_below_the_root_path(self) -> None:
        config = get_config(TestClient(get_app(), root_path="/site"), "/site/api/docs")

        assert config["parameters"]["url"] == "/site/api/openapi.json"
        assert config["oauth2RedirectPath"] == "/site/api/docs/oauth2-redirect"


class TestCSRF:
    def test_the_page_sets_djangos_cookie_and_knows_its_name_and_header(
        self, settings: Settings
    ) -> None:
        settings.CSRF_COOKIE_NAME = "goat_token"
        settings.CSRF_HEADER_NAME = "HTTP_X_GOAT_TOKEN"
        client = TestClient(get_app())

        response = client.get("/api/docs")

        assert "goat_token=" in response.headers["set-cookie"]
        assert "SameSite=Lax" in response.headers["set-cookie"]
        assert response.headers["vary"] == "Cookie"
        config = get_config(client)
        assert config["csrfCookieName"] == "goat_token"
        assert config["csrfHeaderName"] == "X-GOAT-TOKEN"
        assert len(config["csrfToken"]) == 64

    def test_the_page_keeps_a_secret_that_the_browser_already_has(self) -> None:
        client = TestClient(get_app())
        client.get("/api/docs")
        secret = client.cookies["csrftoken"]

        client.get("/api/docs")

        assert client.cookies["csrftoken"] == secret

    @pytest.mark.django_db
    def test_the_secret_may_live_in_the_session(self, settings: Settings) -> None:
        settings.CSRF_USE_SESSIONS = True
        client = TestClient(get_app())

        config = get_config(client)

        assert len(config["csrfToken"]) == 64
        assert list(client.cookies) == ["sessionid"]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("drf_spectacular_sidecar", 'pip install "django-mullet[docs]"'),
        ("django.contrib.staticfiles", "pip install django"),
        ("django_mullet", "pip install django-mullet"),
    ],
)
def test_a_missing_app_is_reported_when_the_router_is_made(name: str, command: str) -> None:
    with (
        modify_settings(INSTALLED_APPS={"remove": [name]}),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        docs_router()

    assert str(caught.value) == (
        f"docs_router() needs '{name}': run '{command}' and add '{name}' to INSTALLED_APPS."
    )
