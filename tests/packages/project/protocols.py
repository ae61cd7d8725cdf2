"""The application behind the `ProtocolTypeRouter` of Channels."""

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from project.asgi import app
from project.routing import websockets

application = ProtocolTypeRouter(
    {
        "http": app,
        "lifespan": app,
        "websocket": URLRouter([re_path("^api/", app), re_path("", websockets)]),
    }
)
