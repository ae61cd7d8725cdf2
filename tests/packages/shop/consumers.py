"""Channels: who hears of new books?"""

from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncJsonWebsocketConsumer, JsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.db import transaction
from fastapi import WebSocket

from django_mullet import APIRouter, Atomic
from shop.books import BookIn, BookOut
from shop.models import Book

router = APIRouter(prefix="/announced/books", tags=["channels"])


class Listener(AsyncJsonWebsocketConsumer):
    """Tells of each new book those who have logged in, and stores what they send."""

    groups = ["books"]

    async def connect(self) -> None:
        if self.scope["user"].is_authenticated:
            await self.accept()
        else:
            await self.close()

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        book = await Book.objects.acreate(title=content["title"])
        await self.channel_layer.group_send("books", {"type": "book.added", "title": book.title})

    async def book_added(self, event: dict[str, str]) -> None:
        await self.send_json({"title": event["title"]})


class Counter(JsonWebsocketConsumer):
    """Says how many books there are, whenever it is asked."""

    def receive_json(self, content: Any, **kwargs: Any) -> None:
        self.send_json({"number": Book.objects.count()})


@router.post("/", status_code=201, response_model=BookOut)
def announce_book(data: BookIn, _: Atomic) -> Book:
    book = Book.objects.create(**data.model_dump())
    transaction.on_commit(partial(announce, book))
    return book


def announce(book: Book) -> None:
    send = async_to_sync(get_channel_layer().group_send)
    send("books", {"type": "book.added", "title": book.title})


@router.post("/async/", status_code=201, response_model=BookOut)
async def announce_book_async(data: BookIn) -> Book:
    book = await Book.objects.acreate(**data.model_dump())
    await get_channel_layer().group_send("books", {"type": "book.added", "title": book.title})
    return book


@router.websocket("/count/")
async def count_books(websocket: WebSocket) -> None:
    """Say how many books there are, as the Counter does, in Django's workers."""
    await websocket.accept()
    async for _ in websocket.iter_text():
        await websocket.send_json({"number": await Book.objects.acount()})
