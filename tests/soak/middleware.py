"""Which middleware of Django's does the server of the soak test have?"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tests.isolation.tenancy import HEADER, TenantMiddleware

__all__ = ["TenantIfNamed"]


class TenantIfNamed(TenantMiddleware):
    """Sets the tenant for requests that name one: the others have writes that are checked.

    A reset that failed after those would be an error, though they are stored.
    """

    def process_request(self, request: HttpRequest) -> None:
        if HEADER in request.headers:
            super().process_request(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if HEADER in request.headers:
            return super().process_response(request, response)
        return response
