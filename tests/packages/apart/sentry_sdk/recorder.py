"""Where does Sentry send in the tests? Nowhere: what it would send is kept."""

from typing import Any

from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

SENT: list[dict[str, Any]] = []


class Recorder(Transport):
    def capture_envelope(self, envelope: Envelope) -> None:
        for event in (envelope.get_transaction_event(), envelope.get_event()):
            if event is not None:
                SENT.append(dict(event))
