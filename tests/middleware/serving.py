"""Applications whose routes have Django's middleware around them."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from django_mullet import APIClient, APIRouter
from tests import django_middleware
from tests.django_middleware import noted, variable

GZIP = "django.middleware.gzip.GZipMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
JSON = {"content-type": "application/json"}
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"


def named(*names: str) -> list[str]:
    """Return dotted paths; a name without a dot is one of the tests' own."""
    return [name if "." in name else f"tests.django_middleware.{name}" for name in names]


def client(router: APIRouter, **options: Any) -> APIClient:
    app = FastAPI()
    app.include_router(router)

    @app.exception_handler(KeyError)
    async def handle_key_error(request: Request, error: KeyError) -> Response:
        return JSONResponse({"key": str(error), "in": django_middleware.here()}, 500)

    @app.exception_handler(IndexError)
    def handle_index_error(request: Request, error: IndexError) -> Response:
        return JSONResponse({"in": django_middleware.here()}, 400)

    return APIClient(app, base_url="http://testserver", **options)


def everything(*names: str, **options: Any) -> APIClient:
    """Return a client of routes of every kind, with middleware around them."""
    router = APIRouter(django_middleware=named(*names))

    @router.get("/def/{number}")
    def sync(number: int) -> dict[str, str]:
        noted.append(f"def {django_middleware.here()}")
        seen = variable.get()
        variable.set("endpoint")
        return {"seen": seen, "text": "x" * 300}

    @router.get("/async/{number}")
    async def asynchronous(number: int) -> dict[str, str]:
        noted.append(f"async {django_middleware.here()}")
        seen = variable.get()
        variable.set("endpoint")
        return {"seen": seen, "text": "x" * 300}

    async def wait() -> str:
        return django_middleware.here()

    @router.get("/waiting/{number}")
    def waiting(number: int, waited: Annotated[str, Depends(wait)]) -> dict[str, str]:
        noted.append(f"waiting {waited} {django_middleware.here()}")
        seen = variable.get()
        variable.set("endpoint")
        return {"seen": seen, "text": "x" * 300}

    @router.get("/raise/{name}")
    def fail(name: str) -> None:
        errors = {
            "http": HTTPException(404, "no such thing"),
            "key": KeyError("k"),
            "index": IndexError(),
            "os": OSError("unhandled"),
        }
        raise errors[name]

    @router.get("/async-raise/{name}")
    async def async_fail(name: str) -> None:
        fail(name)

    return client(router, **options)


PATHS = ["/def/7", "/async/7", "/waiting/7"]
