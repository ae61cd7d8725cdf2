"""The Django half of what the soak test calls."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from tests.isolation.urls import async_view
from tests.soak.writing import Crashed, Order, rows, write


@csrf_exempt
def write_view(request: HttpRequest) -> HttpResponse:
    order = Order.model_validate_json(request.body)
    write(order)
    if order.outcome == "conflict":
        raise PermissionDenied
    if order.outcome == "crash":
        raise Crashed
    return JsonResponse({"token": order.token})


@csrf_exempt
def write_and_stream_view(request: HttpRequest) -> HttpResponseBase:
    order = Order.model_validate_json(request.body)
    answer = write_view(request)
    if order.outcome != "keep":
        return answer
    return StreamingHttpResponse(f"{n}\n" for n in rows(order.token))


def rows_view(request: HttpRequest, token: str) -> HttpResponse:
    return JsonResponse(rows(token), safe=False)


urlpatterns = [
    path("django/write", write_view),
    path("django/stream", write_and_stream_view),
    path("django/rows/<str:token>", rows_view),
    # Django has no transaction for an async view, and refuses it.
    path("tenants/django/async-view", transaction.non_atomic_requests(async_view)),
    path("tenants/", include("tests.isolation.urls")),
]
