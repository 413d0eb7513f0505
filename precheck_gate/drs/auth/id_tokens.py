"""The identity of a CI job: where its OIDC token comes from, and what it says of itself."""

from __future__ import annotations

import base64
import binascii
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

from precheck_gate.documents import strict_json
from precheck_gate.drs.auth.requests_auth import BearerAuth, BoundAuth
from precheck_gate.drs.auth.secret_files import Content, is_word, read_secret
from precheck_gate.drs.auth.variables import GITHUB_TOKEN, GITHUB_URL
from precheck_gate.drs.http.endpoints import check_endpoint
from precheck_gate.drs.http.replies import refusal
from precheck_gate.errors import AccessRefused, ServiceError, UsageError
from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.safetext.pasted_secrets import is_slip, told, told_variable
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from precheck_gate.drs.auth.environment import Environment
    from precheck_gate.drs.http.messages import Send
    from precheck_gate.runtime.clock import Clock

__all__ = [
    "FileIdToken",
    "GitHubIdToken",
    "IdTokenOrigin",
    "VariableIdToken",
    "claims_of",
    "github_id_token",
]

_GITLAB_HINT = (
    "In GitLab, 'id_tokens: {NAME: {aud: …}}' of the job puts it into the variable NAME; "
    "name it with --id-token-variable."
)
_ITSELF = "That looks like the ID token itself: name the variable or the file that holds it."


class IdTokenOrigin(Protocol):
    """Where an ID token comes from."""

    def check(self) -> None:
        """Raise a `UsageError` if it cannot be had, as far as that shows without asking."""
        ...

    def obtain(self, send: Send, clock: Clock, seconds: float) -> Secret:
        """Return the token, a new one where that can be had."""
        ...

    @property
    def audience_hint(self) -> str:
        """What to do if the audience is not the one that IAM expects."""
        ...


@dataclass(frozen=True, slots=True)
class GitHubIdToken:
    """GitHub Actions issues a token to the job that asks for it.

    Attributes:
        url: where, from ``ACTIONS_ID_TOKEN_REQUEST_URL``, checked.
        token: with what, from ``ACTIONS_ID_TOKEN_REQUEST_TOKEN``.
        audience: for whom the token shall be; "" for GitHub's default.
    """

    url: str
    token: Secret
    audience: str = ""

    @property
    def audience_hint(self) -> str:
        """What to do if the audience is not the one that IAM expects."""
        return "set --oidc-audience to the client ID of the identity provider in IAM"

    def check(self) -> None:
        """Check nothing: GitHub has to be asked."""

    def obtain(self, send: Send, clock: Clock, seconds: float) -> Secret:
        """Ask GitHub for a new token."""
        url = self.url
        if self.audience:
            url += f"{'&' if urlsplit(url).query else '?'}audience={quote(self.audience, safe='')}"
        reply = send("GET", url, auth=BoundAuth(BearerAuth(self.token), url), seconds=seconds)
        if reply.status in (400, 401, 403, 404):
            refused = refusal(reply, clock, "GitHub's issuer of ID tokens")
            raise AccessRefused(
                refused.message,
                hint="Does the job have 'permissions: {id-token: write}', and still run?",
                code=refused.code,
            )
        if reply.status != 200:
            raise refusal(reply, clock, "GitHub's issuer of ID tokens")
        token = _issued(reply.body)
        if not token:
            raise ServiceError("GitHub's issuer of ID tokens answered without a token.")
        return token


class KeptIdToken(ABC):
    """An ID token that somebody puts somewhere and keeps up to date; it is read each time."""

    __slots__ = ()

    def check(self) -> None:
        """Raise a `UsageError` if there is no token."""
        _, problem = self._look()
        if problem:
            raise UsageError(problem, hint=self._hint)

    def obtain(self, send: Send, clock: Clock, seconds: float) -> Secret:  # noqa: ARG002
        """Return what is there."""
        token, problem = self._look()
        if problem:
            raise AccessRefused(problem, hint=self._hint)
        return token

    def _look(self) -> tuple[Secret, str]:
        """Return what is there, and what is wrong with it; nothing of it is quoted."""
        token, complaint, _ = self._read()
        complaint = complaint or _complaint_about(token)
        return token, f"{self._where} {complaint}." if complaint else ""

    @property
    def _hint(self) -> str:
        return _ITSELF if is_slip(self._given) else _GITLAB_HINT

    @property
    @abstractmethod
    def _given(self) -> str:
        """What was given as the place."""

    @property
    @abstractmethod
    def _where(self) -> str:
        """The place, as the beginning of a sentence."""

    @abstractmethod
    def _read(self) -> Content: ...


@dataclass(frozen=True, slots=True)
class VariableIdToken(KeptIdToken):
    """A variable that the CI system filled, such as GitLab's ``id_tokens``."""

    name: str
    environment: Environment

    @property
    def audience_hint(self) -> str:
        """What to do if the audience is not the one that IAM expects."""
        return "set the 'aud' of the job's id_tokens to the client ID of the identity provider"

    @property
    def _where(self) -> str:
        return f"The variable {told_variable(self.name)}"

    @property
    def _given(self) -> str:
        return self.name

    def _read(self) -> Content:
        return Content(self.environment.secret(self.name))


@dataclass(frozen=True, slots=True)
class FileIdToken(KeptIdToken):
    """A file that somebody keeps up to date; it is read each time."""

    path: Path

    @property
    def audience_hint(self) -> str:
        """What to do if the audience is not the one that IAM expects."""
        return "get a token for the client ID of the identity provider in IAM"

    @property
    def _where(self) -> str:
        return f"The ID token's file {told(self.path)}"

    @property
    def _given(self) -> str:
        return str(self.path)

    def _read(self) -> Content:
        return read_secret(self.path)


def github_id_token(environment: Environment, audience: str) -> GitHubIdToken:
    """Return GitHub's issuer, from the variables that it sets for a job.

    Raises:
        UsageError: its URL is none that a credential may be sent to.
    """
    problem = _url_problem(environment)
    if problem:
        raise UsageError(f"{GITHUB_URL} cannot be used: {problem}")
    return GitHubIdToken(environment.get(GITHUB_URL), environment.secret(GITHUB_TOKEN), audience)


def _url_problem(environment: Environment) -> str:
    # Its path and query are GitHub's business; scheme and host have to be safe.
    base = "/".join(environment.get(GITHUB_URL).split("/", 3)[:3]).partition("?")[0]
    if "@" in base:
        return "it has credentials in it."
    try:
        check_endpoint(base)
    except UsageError as error:
        return error.message
    return ""


def claims_of(token: Secret, clock: Clock) -> str:
    """Return what an ID token says of its issuer, audience and end, for people; "" if unreadable.

    Nothing is verified here, that is IAM's part.
    """
    claims = _claims(token)
    said = []
    for key, word in (("iss", "issuer"), ("aud", "audience")):
        value = claims.get(key)
        one = ", ".join(map(str, value)) if isinstance(value, list) else value
        if isinstance(one, str) and one:
            said.append(f"its {word} is {clean_line(shorten(one, 100))!r}")
    end = claims.get("exp")
    if isinstance(end, int) and not isinstance(end, bool) and 0 < end < 2**33:
        moment = datetime.fromtimestamp(end, UTC)
        ended = "it ended at" if moment <= clock.now() else "it ends at"
        said.append(f"{ended} {moment:%Y-%m-%d %H:%M:%S} UTC")
    return ", ".join(said)


def _claims(token: Secret) -> dict[str, object]:
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return {}
    try:
        content = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        value = strict_json.loads(content)
    except (ValueError, binascii.Error):
        return {}
    return value if isinstance(value, dict) else {}


def _issued(body: bytes) -> Secret:
    try:
        value = strict_json.loads(body)
    except ValueError:
        return Secret("")
    token = value.get("value") if isinstance(value, dict) else None
    return Secret(token if isinstance(token, str) else "")


def _complaint_about(token: Secret) -> str:
    text = token.reveal()
    if not text:
        return "holds no ID token"
    return "" if is_word(text) else "holds something that is no ID token"
