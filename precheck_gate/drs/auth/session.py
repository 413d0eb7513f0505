"""Access to the service for one run: a credential in use, the project, the state of the clocks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from precheck_gate.drs.auth.credential import AuthContext
from precheck_gate.drs.auth.iam import Iam
from precheck_gate.drs.auth.requests_auth import BoundAuth
from precheck_gate.drs.http.messages import Skew

if TYPE_CHECKING:
    from precheck_gate.drs.auth.credential import Credential
    from precheck_gate.drs.http.messages import HttpRequest, Reply, Send
    from precheck_gate.runtime.process import Clock


class Access:
    """Sends requests to one service with one credential, and renews that when needed.

    Args:
        endpoint: the service's base URL, checked.
        project_id: "" to find it by its name.
        project_name: "" if not known.
        iam_endpoint: IAM's base URL, checked; "" if IAM is not needed.

    Attributes:
        credential: the credential in use.
        skew: what is known about the clocks.
    """

    def __init__(
        self,
        credential: Credential,
        endpoint: str,
        send: Send,
        clock: Clock,
        *,
        project_id: str = "",
        project_name: str = "",
        iam_endpoint: str = "",
    ) -> None:
        self.credential = credential
        self.skew = Skew(clock)
        self._clock = clock
        self._send = send
        self._iam = Iam(iam_endpoint, send, clock, self.skew)
        self._context = context = AuthContext(clock, send, self._iam, project_id, project_name)
        self._auth = BoundAuth(
            lambda request: credential.sign(request, context), endpoint, iam_endpoint
        )
        self._sent = 0
        self._renewals = 0
        self._lock = threading.Lock()

    @property
    def requests(self) -> int:
        """How many requests were sent, to the service and to IAM."""
        return self._sent + self._iam.requests

    @property
    def known_project_id(self) -> str:
        """The project's ID; "" until it is known."""
        return self._context.project_id

    def send(self, request: HttpRequest, seconds: float) -> Reply:
        """Send a request; after a 401, once more with a renewed credential.

        Raises:
            ServiceError: the credential cannot be obtained, or there is no reply.
        """
        end = self._clock.monotonic() + seconds
        with self._lock:
            self.ready(seconds)
            renewals = self._renewals
        reply = self._exchange(request, end)
        if reply.status == 401 and self._renew(renewals, end):
            reply = self._exchange(request, end)
        return reply

    def ready(self, seconds: float) -> None:
        """Obtain the credential, or renew it, if that is needed.

        Raises:
            ServiceError: it cannot be obtained.
        """
        self.credential.ready(self._context, seconds)

    def _renew(self, seen: int, end: float) -> bool:
        """Return whether there is a new credential since ``seen`` renewals.

        Of several requests at once, the first that is refused renews it for all.
        """
        with self._lock:
            if self._renewals == seen:
                self._renewals += self.credential.renew(self._context, self._context.left(end))
            return self._renewals != seen

    def project_id(self, seconds: float) -> str:
        """Return the project's ID, which IAM is asked for by name the first time.

        Raises:
            ServiceError: it cannot be found.
        """
        context = self._context
        if not context.project_id:
            end = self._clock.monotonic() + seconds
            self.ready(seconds)
            context.project_id = self._iam.project_of(
                context.project_name, self._auth, context.left(end)
            )
        return context.project_id

    def advice(self, status: int) -> str:
        """Return what to do about a reply of 401 or 403."""
        if status == 401:
            return f"{self.credential.advice} {self.skew.advice}".strip()
        return (
            f"{self.credential.holder} may not query DRS in this project: check its permissions "
            "(it needs the permission to query DRS tasks)."
        )

    def _exchange(self, request: HttpRequest, end: float) -> Reply:
        with self._lock:
            self._sent += 1
        reply = self._send(request, self._auth, self._context.left(end))
        self.skew.note(reply.headers)
        return reply
