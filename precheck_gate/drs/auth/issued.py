"""Credentials for which IAM issues a token: obtained once, used again, renewed before it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from precheck_gate.drs.auth.requests_auth import TokenAuth
from precheck_gate.errors import ServiceError
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.auth import AuthBase

    from precheck_gate.drs.auth.iam import Issued
    from precheck_gate.runtime.clock import Clock

__all__ = ["IssuedCredential"]

# Renewed so long before its end, or with a tenth of its life to go, whichever is less.
_MARGIN_SECONDS = 300.0
_RETRY_SECONDS = 30.0


class IssuedCredential:
    """A token from IAM, whoever it is for. Safe to use from several threads.

    Its end is reckoned from how long IAM says that it lives, on the monotonic clock: a computer
    whose clock is wrong neither asks IAM each time nor sends a token that has ended.

    Args:
        name: what it is called.
        source: where the identity was found.
        holder: whose permissions hold.
        fetch: obtains a token within so many seconds, or raises a `ServiceError`.
        clock: when to renew.
    """

    advice = "IAM issued the token just now: is the endpoint that of the same cloud and region?"

    def __init__(
        self,
        name: str,
        source: str,
        holder: str,
        fetch: Callable[[float], Issued],
        clock: Clock,
    ) -> None:
        self.name = name
        self.source = source
        self.holder = holder
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token = Secret("")
        self._renew_at = float("-inf")
        self._end = float("-inf")

    def auth(self) -> AuthBase:
        """Return what puts the token of the moment on a request."""
        return TokenAuth(lambda: self._token)

    def ready(self, seconds: float) -> None:
        """Obtain a token if there is none, or if it ends soon."""
        with self._lock:
            now = self._clock.monotonic()
            if self._token and now < self._renew_at:
                return
            try:
                self._obtain(seconds)
            except ServiceError:
                # The old one is good for a while: IAM's trouble need not be ours yet.
                if not self._token or now >= self._end:
                    raise
                self._renew_at = min(self._end, now + _RETRY_SECONDS)

    def renew(self, seconds: float) -> bool:
        """Obtain a new token: the service did not accept this one."""
        with self._lock:
            self._obtain(seconds)
        return True

    def _obtain(self, seconds: float) -> None:
        issued = self._fetch(seconds)
        now = self._clock.monotonic()
        lifetime = float("inf") if issued.lifetime is None else issued.lifetime
        self._token = issued.token
        self._end = now + lifetime
        self._renew_at = self._end - min(_MARGIN_SECONDS, lifetime / 10)
