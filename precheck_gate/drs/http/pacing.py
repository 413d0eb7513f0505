"""Keeps to a number of requests a second, and counts what goes over the wire."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from precheck_gate.errors import TimeOver, TransientFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

    from precheck_gate.drs.http.messages import Reply, Send
    from precheck_gate.runtime.clock import Clock

__all__ = ["PacedSend"]

EXCHANGE_SECONDS = 30.0


class PacedSend:
    """Sends requests at a bounded rate, each for a bounded time; a `transport.Send`.

    The caller's time covers the wait for the rate and the exchange. An exchange that takes longer
    than ``exchange_seconds`` is a fault of the service; whatever else uses up the caller's time
    is not: that is a `TimeOver`.

    Args:
        send: what sends a request.
        clock: the time, and waiting.
        max_rps: how many requests a second at most.
        exchange_seconds: how long the service may take for one exchange.

    Attributes:
        bytes_sent: the size of all bodies that were sent.
        bytes_received: the size of all bodies that came.
    """

    def __init__(
        self,
        send: Send,
        clock: Clock,
        max_rps: float,
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self.bytes_sent = 0
        self.bytes_received = 0
        self._send = send
        self._clock = clock
        self._gap = 1.0 / max_rps
        self._exchange_seconds = exchange_seconds
        self._next = clock.monotonic()
        self._lock = threading.Lock()

    def __call__(
        self,
        method: str,
        url: str,
        *,
        auth: AuthBase,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Send a request when it is its turn; the wait is part of the seconds it may take.

        Raises:
            TimeOver: the seconds are over, or will be before its turn.
            ServiceError: as with the inner ``send``.
        """
        end = self._clock.monotonic() + seconds
        wait = self._turn(seconds)
        if wait > 0:
            self._clock.sleep(wait)
        with self._lock:
            self.bytes_sent += len(body)
        left = min(seconds - wait, self._exchange_seconds)
        try:
            reply = self._send(method, url, auth=auth, seconds=left, headers=headers, body=body)
        except TransientFault as error:
            if self._clock.monotonic() < end:
                raise
            raise TimeOver(error.message, hint=error.hint) from None
        with self._lock:
            self.bytes_received += len(reply.body)
        return reply

    def _turn(self, seconds: float) -> float:
        """Return how long to wait for the next turn, and take it if that is within the seconds."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            if turn - now >= seconds:
                raise TimeOver(
                    "The rate of requests is used up (--max-rps), and the time with it.",
                    hint="Give more time with --timeout, or a higher --max-rps.",
                )
            self._next = turn + self._gap
        return turn - now
