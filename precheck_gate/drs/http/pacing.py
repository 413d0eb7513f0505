"""Limits the rate of requests, and counts the bytes of their bodies."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from precheck_gate.errors import TimeOver, TransientFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

    from precheck_gate.drs.http.messages import Reply, Send
    from precheck_gate.runtime.clock import Clock

EXCHANGE_SECONDS = 30.0


class PacedSend:
    """Sends requests at a bounded rate, each for a bounded time; a `messages.Send`.

    The caller's time covers the wait for a turn and the exchange. An exchange that takes longer
    than ``exchange_seconds`` is a fault of the service; anything else that uses up the caller's
    time is not: that is a `TimeOver`.
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
        """Send a request when it is its turn.

        Raises:
            TimeOver: the seconds are over, or will be before its turn.
            ServiceError: as with the inner ``send``.
        """
        with self._lock:
            now = self._clock.monotonic()
            wait = max(0.0, self._next - now)
            if wait >= seconds:
                raise TimeOver(
                    "The rate of requests is used up (--max-rps), and the time with it.",
                    hint="Give more time with --timeout, or a higher --max-rps.",
                )
            self._next = now + wait + self._gap
        if wait > 0:
            self._clock.sleep(wait)
        with self._lock:
            self.bytes_sent += len(body)
        left = min(seconds - wait, self._exchange_seconds)
        try:
            reply = self._send(method, url, auth=auth, seconds=left, headers=headers, body=body)
        except TransientFault as error:
            if self._clock.monotonic() < now + seconds:
                raise
            raise TimeOver(error.message, hint=error.hint) from None
        with self._lock:
            self.bytes_received += len(reply.body)
        return reply
