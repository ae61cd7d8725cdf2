"""Do all peers answer alike? Asked before anything is timed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from benchmarks.client import Answer, Client, Load, WrongAnswerError
from benchmarks.database import Database
from benchmarks.exchanges import EXCHANGES, REFUSALS, Exchange, Request
from benchmarks.peers import Peer

__all__ = ["Expectations"]


@dataclass(slots=True)
class Expectations:
    """What every peer must answer: what the first one that was asked has."""

    bodies: dict[tuple[str, int], tuple[str, Any]] = field(default_factory=dict)

    async def loads(self, peer: Peer, client: Client, database: Database) -> dict[str, Load]:
        """Return what makes the requests of each exchange to `peer`.

        Raises `WrongAnswerError` if it answers anything else than the peers before it.
        """
        for request in REFUSALS:
            answer = await client.ask(request)
            if not 400 <= answer.status < 500:
                raise WrongAnswerError(
                    f"'{peer.name}' must refuse '{request.method} {request.path}': {answer}."
                )
        return {
            exchange.name: await self.load(exchange, peer.name, client, database)
            for exchange in EXCHANGES
            if exchange.peers is None or peer.environment in exchange.peers
        }

    async def load(self, exchange: Exchange, name: str, client: Client, database: Database) -> Load:
        database.forget_writes()
        if exchange.create is not None:
            return await self.created(exchange, exchange.create, name, client, database)
        answers = []
        for number, request in enumerate(exchange.requests):
            answer = await client.ask(request)
            self.compare(exchange, number, name, request, answer, parsed(name, request, answer))
            answers.append((request.encode(), answer))
        if exchange.name == "update" and database.updated() != len(exchange.requests):
            raise WrongAnswerError(f"'{name}' has not stored what it says it has updated.")
        again = cycle(answers)
        return Load(lambda: next(again), exchange.status)

    async def created(
        self,
        exchange: Exchange,
        create: Callable[[], Request],
        name: str,
        client: Client,
        database: Database,
    ) -> Load:
        request = create()
        answer = await client.ask(request)
        body = parsed(name, request, answer)
        sent = json.loads(request.body)
        shown = {key: value for key, value in body.items() if key != "id"}
        if shown != sent or type(body.get("id")) is not int:
            raise WrongAnswerError(f"'{name}' was sent {sent} and shows {body}.")
        self.compare(exchange, 0, name, request, answer, sorted(body))
        if (stored := database.forget_writes()) != 1:
            raise WrongAnswerError(f"'{name}' has stored {stored} rows where it says it has one.")
        return Load(lambda: (create().encode(), None), exchange.status)

    def compare(
        self,
        exchange: Exchange,
        number: int,
        name: str,
        request: Request,
        answer: Answer,
        shown: object,
    ) -> None:
        what = f"'{request.method} {request.path}'"
        if answer.status != exchange.status:
            raise WrongAnswerError(f"'{name}' must answer {what} by {exchange.status}: {answer}.")
        first, expected = self.bodies.setdefault((exchange.name, number), (name, shown))
        if shown != expected:
            raise WrongAnswerError(
                f"{what}: '{name}' answers\n{excerpt(shown)}\n"
                f"and '{first}' answers\n{excerpt(expected)}"
            )


def parsed(name: str, request: Request, answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        what = f"'{request.method} {request.path}'"
        raise WrongAnswerError(f"'{name}' must answer {what} by JSON: {answer}.") from None


def excerpt(shown: object) -> str:
    text = str(shown)
    return text if len(text) < 500 else f"{text[:500]} ..."
