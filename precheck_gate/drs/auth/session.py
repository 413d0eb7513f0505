"""Access to the service for one run: a credential in use, the project, and what the clock says."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from precheck_gate.drs.auth.fixed import KeyCredential, TokenCredential
from precheck_gate.drs.auth.iam import Iam
from precheck_gate.drs.auth.id_tokens import claims_of
from precheck_gate.drs.auth.identities import KeyIdentity, TokenIdentity, UserIdentity
from precheck_gate.drs.auth.issued import IssuedCredential
from precheck_gate.drs.auth.requests_auth import BoundAuth
from precheck_gate.drs.http.messages import Skew
from precheck_gate.errors import TimeOver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.drs.auth.credential import Credential
    from precheck_gate.drs.auth.iam import Issued
    from precheck_gate.drs.auth.identities import Found, IdTokenIdentity
    from precheck_gate.drs.http.messages import Reply, Send
    from precheck_gate.runtime.clock import Clock

__all__ = ["Access"]


class Access:
    """Sends requests to one service with one credential, and keeps that fresh.

    Args:
        found: who asks.
        endpoint: the service's base URL, checked.
        send: what sends a request.
        clock: the time.
        project_id: "" to find it by its name.
        project_name: "" where it is not known.
        iam_endpoint: IAM's base URL, checked; "" where IAM is not needed.

    Attributes:
        credential: what is used.
        skew: what is known of the clocks.
    """

    def __init__(
        self,
        found: Found,
        endpoint: str,
        send: Send,
        clock: Clock,
        *,
        project_id: str = "",
        project_name: str = "",
        iam_endpoint: str = "",
    ) -> None:
        self.known_project_id = project_id
        self.skew = Skew(clock)
        self._iam = Iam(iam_endpoint, send, clock, self.skew)
        self._send = send
        self._clock = clock
        self._project_name = project_name
        self._sent = 0
        self._renewals = 0
        self._lock = threading.Lock()
        self.credential: Credential = self._credential(found)
        self._auth = BoundAuth(self.credential.auth(), endpoint, iam_endpoint)

    @property
    def requests(self) -> int:
        """How many requests were sent, to the service and to IAM."""
        return self._sent + self._iam.requests

    def send(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Send a request with the credential; once more with a new one if it is not accepted.

        Raises:
            ServiceError: there is no credential to be had, or no reply.
        """
        end = self._clock.monotonic() + seconds
        with self._lock:
            self.credential.ready(seconds)
            renewals = self._renewals
        reply = self._exchange(method, url, headers, body, end)
        if reply.status == 401 and self._renew(renewals, end):
            reply = self._exchange(method, url, headers, body, end)
        return reply

    def _renew(self, seen: int, end: float) -> bool:
        """Return whether there is a new credential since ``seen`` renewals.

        Of requests that run at once, the first that is refused renews it for all.
        """
        with self._lock:
            if self._renewals == seen and self.credential.renew(self._left(end)):
                self._renewals += 1
            return self._renewals != seen

    def project_id(self, seconds: float) -> str:
        """Return the project; found by its name the first time, where no ID was given.

        Raises:
            ServiceError: it cannot be found.
        """
        if not self.known_project_id:
            end = self._clock.monotonic() + seconds
            self.credential.ready(seconds)
            self.known_project_id = self._iam.project_of(
                self._project_name, self._auth, self._left(end)
            )
        return self.known_project_id

    def advice(self, status: int) -> str:
        """Return what to do about a reply of 401 or 403."""
        if status == 401:
            return f"{self.credential.advice} {self.skew.advice}".strip()
        return (
            f"{self.credential.holder} may not query DRS in this project: check its permissions "
            "(it needs the permission to query DRS tasks)."
        )

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes, end: float
    ) -> Reply:
        with self._lock:
            self._sent += 1
        reply = self._send(
            method, url, auth=self._auth, seconds=self._left(end), headers=headers, body=body
        )
        self.skew.note(reply.headers)
        return reply

    def _left(self, end: float) -> float:
        left = end - self._clock.monotonic()
        if left <= 0:
            raise TimeOver("The time for a request went by while the credential was renewed.")
        return left

    def _credential(self, found: Found) -> Credential:
        match found.identity:
            case TokenIdentity() as token:
                return TokenCredential(token, found.source)
            case KeyIdentity() as key:
                return KeyCredential(
                    key, found.label, found.source, lambda: self.known_project_id, self._clock
                )
            case UserIdentity() as user:

                def fetch(seconds: float) -> Issued:
                    return self._iam.token_for_user(user, self._scope(), seconds)

                return IssuedCredential(
                    found.label, found.source, "The IAM user", fetch, self._clock
                )
            case id_token:
                return IssuedCredential(
                    found.label,
                    found.source,
                    "The identity provider's user group",
                    lambda seconds: self._exchange_id_token(id_token, seconds),
                    self._clock,
                )

    def _exchange_id_token(self, identity: IdTokenIdentity, seconds: float) -> Issued:
        end = self._clock.monotonic() + seconds
        token = identity.origin.obtain(self._send, self._clock, seconds)
        claims = claims_of(token, self._clock)
        hint = (
            f"IAM did not take the ID token{f' ({claims})' if claims else ''}: check --idp-id, "
            f"and where the audience is wrong, {identity.origin.audience_hint}."
        )
        return self._iam.token_for_id_token(
            identity.idp_id, token, self._scope(), hint, self._left(end)
        )

    def _scope(self) -> dict[str, str]:
        if self.known_project_id:
            return {"id": self.known_project_id}
        return {"name": self._project_name}
