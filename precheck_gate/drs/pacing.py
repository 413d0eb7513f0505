"""Keeps to a number of requests a second, and counts what goes over the wire."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from precheck_gate.errors import TransientFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

    from precheck_gate.clock import Clock
    from precheck_gate.drs.transport import Reply, Send

__all__ = ["PacedSend"]


class PacedSend:
    """Sends requests one after the other at a bounded rate; a `transport.Send`.

    Args:
        send: what sends a request.
        clock: the time, and waiting.
        max_rps: how many requests a second at most.

    Attributes:
        bytes_sent: the size of all bodies that were sent.
        bytes_received: the size of all bodies that came.
    """

    def __init__(self, send: Send, clock: Clock, max_rps: float) -> None:
        self.bytes_sent = 0
        self.bytes_received = 0
        self._send = send
        self._clock = clock
        self._gap = 1.0 / max_rps
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
            TransientFault: its turn would come too late.
            ServiceError: as with the inner ``send``.
        """
        wait = self._turn()
        if wait >= seconds:
            raise TransientFault(
                "The rate of requests is used up (--max-rps), and the time with it.",
                hint="Give more time with --timeout, or a higher --max-rps.",
            )
        if wait > 0:
            self._clock.sleep(wait)
        with self._lock:
            self.bytes_sent += len(body)
        reply = self._send(
            method, url, auth=auth, seconds=seconds - wait, headers=headers, body=body
        )
        with self._lock:
            self.bytes_received += len(reply.body)
        return reply

    def _turn(self) -> float:
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        return turn - now
