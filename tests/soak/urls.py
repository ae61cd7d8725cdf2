"""The Django half of what the soak test calls."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

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


def rows_view(request: HttpRequest, token: str) -> HttpResponse:
    return JsonResponse(rows(token), safe=False)


urlpatterns = [
    path("django/write", write_view),
    path("django/rows/<str:token>", rows_view),
]
