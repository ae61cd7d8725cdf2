"""Swagger UI and ReDoc, served from Django's static files.

Swagger UI and ReDoc from Django's static files, so that the pages work offline and under a
Content-Security-Policy without inline scripts. "Try it out" sends Django's CSRF token, so that
endpoints which a session protects can be tried by whoever is logged in.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import ensure_csrf_cookie
from fastapi import HTTPException, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.openapi.docs import swagger_ui_default_parameters
from fastapi.responses import HTMLResponse
from starlette.routing import NoMatchFound

from django_mullet.routing.route import APIRouter

__all__ = ["docs_router"]

REQUIRED_APPS = {
    "django_mullet": "pip install django-mullet",
    "django.contrib.staticfiles": "pip install django",
    "drf_spectacular_sidecar": 'pip install "django-mullet[docs]"',
}


def docs_router(*, docs_url: str | None = "/docs", redoc_url: str | None = "/redoc") -> APIRouter:
    """Return a router with the documentation pages of the application that includes it.

    `docs_url` is Swagger UI's path, and `redoc_url` ReDoc's, below the prefix of the router; None
    leaves the page out. Swagger UI is configured by the application's `swagger_ui_parameters` and
    `swagger_ui_init_oauth`; an OAuth2 provider redirects to `{docs_url}/oauth2-redirect`, unless
    the application's `swagger_ui_oauth2_redirect_url` is None.

    Raises `ImproperlyConfigured` if an app that the pages need is not installed.
    """
    check_required_apps()
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    if docs_url is not None:
        redirect_url = f"{docs_url.rstrip('/')}/oauth2-redirect"
        router.add_api_route(docs_url, swagger_ui_html)
        router.add_api_route(redirect_url, swagger_ui_redirect)
    if redoc_url is not None:
        router.add_api_route(redoc_url, redoc_html)
    return router


def check_required_apps() -> None:
    """Raise `ImproperlyConfigured` at the first app that is missing from `INSTALLED_APPS`."""
    for name, command in REQUIRED_APPS.items():
        if not apps.is_installed(name):
            raise ImproperlyConfigured(
                f"docs_router() needs '{name}': run '{command}' and add '{name}' to INSTALLED_APPS."
            )


def swagger_ui_html(request: Request) -> Response:
    """Return the page of Swagger UI, and see to it that the browser has a CSRF cookie."""
    app = request.app
    parameters = {
        **swagger_ui_default_parameters,
        "persistAuthorization": True,
        **(app.swagger_ui_parameters or {}),
        "url": openapi_url(request),
    }
    config = {
        "parameters": jsonable_encoder(parameters),
        "oauth2RedirectPath": oauth2_redirect_path(request),
        "initOAuth": jsonable_encoder(app.swagger_ui_init_oauth),
        "csrfCookieName": settings.CSRF_COOKIE_NAME,
        "csrfHeaderName": csrf_header_name(),
    }

    def page(django_request: HttpRequest) -> HttpResponse:
        context = {
            "title": app.title,
            "openapi_url": parameters["url"],
            "redoc_url": path_of_page("redoc_html", request),
            "config": {**config, "csrfToken": get_token(django_request)},
        }
        html = render_to_string("django_mullet/swagger_ui.html", context)
        return HttpResponse(html, headers=own_host_only())

    return run_with_csrf_cookie(page, request)


def swagger_ui_redirect() -> Response:
    """Return the page that hands an OAuth2 provider's answer over to Swagger UI."""
    html = render_to_string("django_mullet/oauth2_redirect.html")
    return HTMLResponse(html, headers=own_host_only())


def redoc_html(request: Request) -> Response:
    """Return the page of ReDoc."""
    context = {
        "title": request.app.title,
        "openapi_url": openapi_url(request),
        "docs_url": path_of_page("swagger_ui_html", request),
    }
    html = render_to_string("django_mullet/redoc.html", context)
    return HTMLResponse(html, headers=own_host_only())


def own_host_only() -> dict[str, str]:
    """Return the header by which a browser loads nothing from hosts that are not the project's.

    ReDoc would ask its makers' host for their logo. What a page sends is not restricted: the API
    and an OAuth2 provider may be elsewhere. (Content Security Policy Level 3.)
    """
    # A file that exists: a storage with a manifest has no address for any other.
    url = urlsplit(static("drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png"))
    hosts = f"'self' {url.scheme}://{url.netloc}" if url.netloc else "'self'"
    policy = {
        "default-src": hosts,
        "connect-src": "*",
        "img-src": f"{hosts} data:",
        "style-src": f"{hosts} 'unsafe-inline'",
        "worker-src": f"{hosts} blob:",
    }
    text = "; ".join(f"{name} {value}" for name, value in policy.items())
    return {"Content-Security-Policy": text}


def openapi_url(request: Request) -> str:
    """Return the path of the OpenAPI document as a browser sees it.

    Raises an `HTTPException` of status 404 if the application has none.
    """
    if not request.app.openapi_url:
        raise HTTPException(
            status_code=404,
            detail="The OpenAPI document is switched off: give FastAPI() an 'openapi_url'.",
        )
    root_path: str = request.scope.get("root_path", "")
    return f"{root_path.rstrip('/')}{request.app.openapi_url}"


def path_of_page(name: str, request: Request) -> str | None:
    """Return the path of another of the pages, or None if the application leaves it out."""
    try:
        return request.url_for(name).path
    except NoMatchFound:
        return None


def oauth2_redirect_path(request: Request) -> str | None:
    """Return the path of the OAuth2 redirect page, or None if the application wants none."""
    if request.app.swagger_ui_oauth2_redirect_url is None:
        return None
    return request.url_for("swagger_ui_redirect").path


def csrf_header_name() -> str:
    """Return the header of `settings.CSRF_HEADER_NAME`, which names it as WSGI does."""
    return settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")


def run_with_csrf_cookie(view: Callable[[HttpRequest], HttpResponse], request: Request) -> Response:
    """Run a Django view that needs the CSRF cookie, or its session, but no other middleware."""
    decorated: Callable[..., Any] = ensure_csrf_cookie(view)
    if settings.CSRF_USE_SESSIONS:
        decorated = decorator_from_middleware(SessionMiddleware)(decorated)
    return to_starlette(decorated(ASGIRequest(request.scope, BytesIO())))


def to_starlette(response: HttpResponse) -> Response:
    """Return a Django response as a Starlette response, cookies included."""
    result = Response(response.content, response.status_code, headers=dict(response.items()))
    for morsel in response.cookies.values():
        result.headers.append("set-cookie", morsel.OutputString())
    return result
