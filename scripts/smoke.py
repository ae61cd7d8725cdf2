"""Can an installed django-mullet be imported, and does it serve a route and a Django view?"""

import importlib
import pkgutil
import threading
import time
from urllib.request import urlopen

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django_mullet"],
    ASGI_APPLICATION=f"{__name__}.app",
    ROOT_URLCONF=__name__,
    SECRET_KEY="smoke",
)
django.setup()

import uvicorn
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from fastapi import FastAPI

import django_mullet
from django_mullet import APIRouter, mount_django

NEED_MORE = {
    "django_mullet._compat.psycopg": "psycopg",
    "django_mullet.queries.psycopg_fetch": "psycopg",
    "django_mullet.fields.postgres": "psycopg",
    "django_mullet.testing": "httpx2",
}

for module in pkgutil.walk_packages(django_mullet.__path__, "django_mullet."):
    if module.name not in NEED_MORE:
        importlib.import_module(module.name)


def view(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Django")


urlpatterns = [path("view/", view), path("", include("django_mullet.urls"))]
router = APIRouter()


@router.get("/route/")
def route() -> str:
    return "FastAPI"


app = FastAPI()
app.include_router(router)
mount_django(app)

call_command("check", fail_level="WARNING")
server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
thread = threading.Thread(target=server.run)
thread.start()
try:
    while not server.started:
        assert thread.is_alive(), "The server did not start."
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    for url, answer in {"/route/": b'"FastAPI"', "/view/": b"Django"}.items():
        assert urlopen(f"http://{host}:{port}{url}").read() == answer, url
finally:
    server.should_exit = True
    thread.join()
