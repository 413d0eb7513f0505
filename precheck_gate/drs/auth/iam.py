"""The calls of IAM: issue a token, look up a project."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from precheck_gate.documents import strict_json
from precheck_gate.drs.auth.requests_auth import BoundAuth
from precheck_gate.drs.http.messages import HttpRequest, http_date
from precheck_gate.drs.http.replies import refusal, said
from precheck_gate.errors import AccessRefused, NotAnAnswer, ServiceError
from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest
    from requests.auth import AuthBase

    from precheck_gate.drs.http.messages import Reply, Send, Skew
    from precheck_gate.runtime.process import Clock

_OPTION = "--iam-endpoint or --region"
_PROJECT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that IAM issued; ``lifetime`` is in seconds, None if IAM does not say."""

    token: Secret
    lifetime: float | None


class Iam:
    """One IAM endpoint, which is checked already. Nothing is retried here."""

    def __init__(self, endpoint: str, send: Send, clock: Clock, skew: Skew) -> None:
        self._endpoint = endpoint
        self._send = send
        self._clock = clock
        self._skew = skew
        self.requests = 0

    def issue(
        self,
        path: str,
        identity: Callable[[], dict[str, object]],
        scope: dict[str, str],
        hint: Callable[[str], str],
        seconds: float,
        headers: dict[str, str] | None = None,
    ) -> Issued:
        """Have IAM issue a token.

        Args:
            path: the call.
            identity: returns the part of the body that is secret, just before it is sent.
            scope: the project, by ``id`` or ``name``.
            hint: returns what to do if IAM refuses with this message.
            seconds: the time limit for the whole reply.
            headers: of the call.

        Raises:
            AccessRefused: IAM does not accept the identity.
            TransientFault: the fault may pass.
            ServiceError: any other fault.
        """

        def sign(request: PreparedRequest) -> None:
            auth = {**identity(), "scope": {"project": scope}}
            request.body = json.dumps({"auth": auth}).encode()
            request.headers["Content-Type"] = "application/json"

        self.requests += 1
        url = f"{self._endpoint}{path}"
        auth = BoundAuth(sign, self._endpoint)
        reply = self._send(HttpRequest("POST", url, headers or {}), auth, seconds)
        self._skew.note(reply.headers)
        if reply.status not in (200, 201):
            raise self._refusal(reply, hint(said(reply).message), scope)
        token = Secret(reply.headers.get("X-Subject-Token", "").strip())
        if not token:
            raise NotAnAnswer("IAM answered without a token.", hint=f"Check {_OPTION}.")
        return Issued(token, self._lifetime(reply))

    def project_of(self, name: str, auth: AuthBase, seconds: float) -> str:
        """Return the ID of the project with this name; a region's own project has its name.

        Raises:
            AccessRefused: the credential is not accepted, or may not list projects.
            ServiceError: there is no such project, or more than one.
        """
        self.requests += 1
        url = f"{self._endpoint}/v3/projects?name={quote(name, safe='')}"
        reply = self._send(HttpRequest("GET", url), auth, seconds)
        self._skew.note(reply.headers)
        if reply.status != 200:
            raise self._refusal(reply, "The credential may not list projects: give --project-id.")
        ids = _project_ids(reply, name)
        if len(ids) == 1:
            return ids[0]
        if not ids:
            raise ServiceError(
                f"IAM knows no project named {name} for this credential.",
                hint="Check --region (whose name its project has) or OS_PROJECT_NAME, and the "
                "credential's account; or give --project-id.",
            )
        shown = ", ".join(clean_line(shorten(one, 60)) for one in ids[:5])
        raise ServiceError(
            f"IAM knows {len(ids)} projects named {name}: {shown}.",
            hint="Choose one with --project-id.",
        )

    def _lifetime(self, reply: Reply) -> float | None:
        """Return a token's lifetime by IAM's own clock, so that ours may be wrong."""
        token = object_in(reply.body).get("token")
        expires, issued = _moment(token, "expires_at"), _moment(token, "issued_at")
        since = issued or http_date(reply.headers) or self._clock.now()
        return max(0.0, (expires - since).total_seconds()) if expires else None

    def _refusal(
        self, reply: Reply, hint: str, scope: dict[str, str] | None = None
    ) -> ServiceError:
        message, code, request_id = said(reply, "IAM")
        match reply.status:
            case 401 | 403:
                hint = f"{hint} {self._skew.advice}".strip()
                return AccessRefused(message, hint=hint, code=code, request_id=request_id)
            case 400 if scope:
                hint = f"{hint} Check {_scope_words(scope)}."
                return AccessRefused(message, hint=hint, code=code, request_id=request_id)
            case 404:
                hint = f"Check {_OPTION}{' and --idp-id' if scope else ''}."
                return ServiceError(message, hint=hint, code=code, request_id=request_id)
            case _:
                return refusal(reply, self._clock, "IAM", _OPTION)


def _scope_words(scope: dict[str, str]) -> str:
    (kind, value), *_ = scope.items()
    name = "--project-id" if kind == "id" else "the project's name"
    return f"{name} ({clean_line(shorten(value, 60))})"


def _project_ids(reply: Reply, name: str) -> list[str]:
    projects = object_in(reply.body).get("projects")
    if not isinstance(projects, list):
        raise NotAnAnswer("IAM's list of projects is not a list.", hint=f"Check {_OPTION}.")
    named = [one for one in projects if isinstance(one, dict) and one.get("name") == name]
    ids = [one.get("id") for one in named]
    return [one for one in ids if isinstance(one, str) and _PROJECT_ID.fullmatch(one)]


def _moment(token: object, key: str) -> datetime | None:
    text = token.get(key) if isinstance(token, dict) else None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def object_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, or {}."""
    try:
        value = strict_json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
