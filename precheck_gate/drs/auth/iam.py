"""The calls of IAM: a token for a user, a token for a CI's identity, the project of a region."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from precheck_gate.documents import strict_json
from precheck_gate.drs.auth.requests_auth import BoundAuth, SecretBody
from precheck_gate.drs.http.endpoints import check_endpoint, region_endpoint
from precheck_gate.drs.http.messages import http_date
from precheck_gate.drs.http.replies import refusal, said
from precheck_gate.errors import AccessRefused, NotAnAnswer, ServiceError, UsageError
from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.auth import AuthBase

    from precheck_gate.drs.auth.identities import UserIdentity
    from precheck_gate.drs.http.messages import Reply, Send, Skew
    from precheck_gate.runtime.clock import Clock

__all__ = ["Iam", "Issued", "check_iam_endpoint", "region_iam_endpoint"]

_OPTION = "--iam-endpoint or --region"
_PROJECT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that IAM issued; ``lifetime`` is in seconds, None where IAM does not say."""

    token: Secret
    lifetime: float | None


def region_iam_endpoint(region: str) -> str:
    """Return the endpoint of IAM in a region.

    Raises:
        UsageError: that is not the name of a region.
    """
    return region_endpoint(region).replace("//drs.", "//iam.", 1)


def check_iam_endpoint(url: str) -> str:
    """Return IAM's URL without its version, safe to send credentials to.

    Raises:
        UsageError: see `precheck_gate.drs.http.endpoints.check_endpoint`.
    """
    try:
        return check_endpoint(url).removesuffix("/v3")
    except UsageError as error:
        message = error.message.replace("The endpoint", "The IAM endpoint", 1)
    raise UsageError(
        message, hint="Give one such as https://iam.eu-west-101.myhuaweicloud.eu, with https."
    )


class Iam:
    """Asks one IAM. Nothing is repeated here.

    Args:
        endpoint: base URL, checked.
        send: what sends a request.
        clock: for dates.
        skew: told of each reply.
    """

    def __init__(self, endpoint: str, send: Send, clock: Clock, skew: Skew) -> None:
        self.endpoint = endpoint
        self._send = send
        self._clock = clock
        self._skew = skew
        self.requests = 0

    def token_for_user(self, user: UserIdentity, scope: dict[str, str], seconds: float) -> Issued:
        """Return a token for a user with a password.

        Args:
            user: who.
            scope: the project, by ``id`` or ``name``.
            seconds: the time in which the whole answer has to be here.

        Raises:
            AccessRefused: IAM does not accept the user.
            TransientFault: the fault may pass.
            ServiceError: anything else that is no answer.
        """

        def body() -> bytes:
            password = {
                "user": {
                    "name": user.name,
                    "password": user.password.reveal(),
                    "domain": {"name": user.domain},
                }
            }
            identity = {"methods": ["password"], "password": password}
            auth = {"identity": identity, "scope": {"project": scope}}
            return json.dumps({"auth": auth}).encode()

        reply = self._post("/v3/auth/tokens", body, {}, seconds)
        return self._issued(reply, scope, _user_hint)

    def token_for_id_token(
        self, idp_id: str, id_token: Secret, scope: dict[str, str], hint: str, seconds: float
    ) -> Issued:
        """Return a token for a CI's identity; ``hint`` is what to do when IAM refuses it.

        Raises:
            AccessRefused, TransientFault, ServiceError: see `token_for_user`.
        """

        def body() -> bytes:
            auth = {"id_token": {"id": id_token.reveal()}, "scope": {"project": scope}}
            return json.dumps({"auth": auth}).encode()

        headers = {"X-Idp-Id": idp_id}
        reply = self._post("/v3.0/OS-AUTH/id-token/tokens", body, headers, seconds)
        return self._issued(reply, scope, lambda _: hint)

    def project_of(self, name: str, auth: AuthBase, seconds: float) -> str:
        """Return the ID of the project of a name, as far as a credential may see it.

        A region's own project has the region's name.

        Raises:
            AccessRefused: the credential is not accepted, or may not see projects.
            ServiceError: there is none, or more than one.
        """
        self.requests += 1
        url = f"{self.endpoint}/v3/projects?name={quote(name, safe='')}"
        reply = self._send("GET", url, auth=auth, seconds=seconds)
        self._skew.note(reply.headers)
        if reply.status != 200:
            raise self._refusal(reply, "The credential may not see projects: give --project-id.")
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

    def _post(
        self, path: str, body: Callable[[], bytes], headers: dict[str, str], seconds: float
    ) -> Reply:
        self.requests += 1
        url = f"{self.endpoint}{path}"
        auth = BoundAuth(SecretBody(body), self.endpoint)
        reply = self._send("POST", url, auth=auth, seconds=seconds, headers=headers)
        self._skew.note(reply.headers)
        return reply

    def _issued(self, reply: Reply, scope: dict[str, str], hint: Callable[[str], str]) -> Issued:
        if reply.status not in (200, 201):
            raise self._refusal(reply, hint(said(reply).message), scope)
        token = Secret(reply.headers.get("X-Subject-Token", "").strip())
        if not token:
            raise NotAnAnswer("IAM answered without a token.", hint=f"Check {_OPTION}.")
        return Issued(token, self._lifetime(reply))

    def _lifetime(self, reply: Reply) -> float | None:
        """Return how long a token lives by IAM's own clock, so that ours may be wrong."""
        expires, issued = _moment(reply, "expires_at"), _moment(reply, "issued_at")
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
                hint = f"{hint} Is {_scope_words(scope)} right?"
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


def _user_hint(message: str) -> str:
    """Return what to do when IAM refuses a user, guessed from its words: no code is documented."""
    words = message.lower()
    if any(word in words for word in ("mfa", "multi-factor", "verification code", "totp")):
        return (
            "The user must log in with a second factor, which a pipeline does not have: "
            "use a user for programmatic access alone, an access key or the CI's identity."
        )
    if any(word in words for word in ("disabled", "locked", "suspended", "frozen")):
        return "Have an administrator enable the user in IAM."
    return (
        "Check the user's name, password and domain (the account's name); IAM locks a user "
        "for a while after several wrong passwords."
    )


def _project_ids(reply: Reply, name: str) -> list[str]:
    try:
        value = strict_json.loads(reply.body)
    except ValueError:
        value = None
    projects = value.get("projects") if isinstance(value, dict) else None
    if not isinstance(projects, list):
        raise NotAnAnswer("IAM's list of projects is no list.", hint=f"Check {_OPTION}.")
    named = [one for one in projects if isinstance(one, dict) and one.get("name") == name]
    ids = [one.get("id") for one in named]
    return [one for one in ids if isinstance(one, str) and _PROJECT_ID.fullmatch(one)]


def _moment(reply: Reply, key: str) -> datetime | None:
    try:
        value: Any = strict_json.loads(reply.body)
    except ValueError:
        return None
    token = value.get("token") if isinstance(value, dict) else None
    text = token.get(key) if isinstance(token, dict) else None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
