"""Which consumer of Channels takes which WebSocket?"""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from shop.consumers import Counter, Listener

websockets = AllowedHostsOriginValidator(
    AuthMiddlewareStack(
        URLRouter(
            [
                path("ws/books/", Listener.as_asgi()),
                path("ws/books/count/", Counter.as_asgi()),
            ]
        )
    )
)
