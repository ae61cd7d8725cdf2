"""The Django views that leave something in the database session."""

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path

from tests.servers.session_claims import aclosed_by_hand, agathered
from tests.servers.session_looks import aline_by_line, asteps, line_by_line, steps


def view(request: HttpRequest, state: str, token: str) -> JsonResponse:
    return JsonResponse(steps(state, token), safe=False)


async def async_view(request: HttpRequest, state: str, token: str) -> JsonResponse:
    return JsonResponse(await asteps(state, token), safe=False)


def stream(request: HttpRequest, state: str, token: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(line_by_line(state, token))


async def async_stream(request: HttpRequest, state: str, token: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(aline_by_line(state, token))


async def gathered(request: HttpRequest) -> JsonResponse:
    return JsonResponse(await agathered(), safe=False)


async def closed_by_hand(request: HttpRequest) -> JsonResponse:
    return JsonResponse(await aclosed_by_hand(), safe=False)


urlpatterns = [
    path("gathered", gathered),
    path("closed-by-hand", closed_by_hand),
    path("view/<str:state>/<str:token>", view),
    path("async-view/<str:state>/<str:token>", async_view),
    path("stream/<str:state>/<str:token>", stream),
    path("async-stream/<str:state>/<str:token>", async_stream),
]
