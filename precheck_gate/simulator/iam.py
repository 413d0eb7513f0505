"""The simulated IAM: tokens, the project of a region, and the check of signatures."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl

from precheck_gate.documents.strict_json import loads
from precheck_gate.drs.auth.access_key import DATE_FORMAT, signature
from precheck_gate.safetext.secrets import Secret
from precheck_gate.simulator.messages import Response, json_reply
from precheck_gate.simulator.scenario import DEFAULT_PROJECT_ID

if TYPE_CHECKING:
    from precheck_gate.runtime.process import Clock
    from precheck_gate.simulator.messages import Request
    from precheck_gate.simulator.scenario import AccessKey, IdentityProvider, Scenario, User

_SIGNATURE = re.compile(
    r"SDK-HMAC-SHA256 +Access=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([0-9A-Fa-f]+)"
)
_MAX_SKEW = timedelta(minutes=15)
# (unverified) the gateway's own words for what is wrong with a signature.
_WRONG = "Incorrect IAM authentication information"


class SignatureCheck:
    """Checks signatures by the access keys of the scenario; without keys, only their form."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._scenario = scenario
        self._clock = clock
        self._start = clock.monotonic()

    def examine(self, request: Request) -> tuple[str, bool]:
        """Return why a request's signature is refused, "" if it is not, and whether it permits."""
        match = _SIGNATURE.fullmatch(request.headers.get("authorization", ""))
        if match is None or "x-sdk-date" not in request.headers:
            return f"{_WRONG}.", False
        if self._scenario.access_keys is None:
            return "", True
        access_key, names, proof = match.groups()
        key = next((k for k in self._scenario.access_keys if k.access_key == access_key), None)
        if key is None:
            return f"{_WRONG}: the access key is unknown.", False
        complaint = self._complaint(request, key, names.split(";"), proof)
        return (f"{_WRONG}: {complaint}." if complaint else ""), key.permitted

    def _complaint(self, request: Request, key: AccessKey, names: list[str], proof: str) -> str:
        if self._clock.monotonic() - self._start >= key.lifetime:
            return "the temporary access key has ended"
        if not _equal(request.headers.get("x-security-token", ""), key.security_token):
            return "the security token is wrong"
        if not {"x-sdk-date", "host"} <= set(names) <= set(request.headers):
            return "the signed headers are incomplete"
        if not self._is_near(request.headers["x-sdk-date"]):
            return "the time of the signature is more than 15 minutes off"
        path, _, query = request.target.partition("?")
        right = signature(
            request.method,
            path,
            parse_qsl(query, keep_blank_values=True),
            request.headers,
            names,
            request.body,
            Secret(key.secret_key),
        )
        return "" if _equal(right, proof.lower()) else "the signature is wrong"

    def _is_near(self, text: str) -> bool:
        try:
            moment = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            return False
        now = self._clock.now() + timedelta(seconds=self._scenario.clock_skew)
        return abs(now - moment) <= _MAX_SKEW


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


# Simulates GitHub's issuer of ID tokens, which is not part of the cloud.
ID_TOKEN_PATH = "/ci/id-token"  # noqa: S105  # a path
_ID_TOKEN_SECONDS = 300
_DEFAULT_AUDIENCE = "simulator"


@dataclass(frozen=True, slots=True)
class _Issue:
    """What is known of a token: when it was issued, when it ends, what it permits."""

    since: float
    end: float
    permitted: bool


class SimulatedIam:
    """Knows the users and identity providers of a scenario, and the tokens that it issued."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._scenario = scenario
        self._clock = clock
        self._start = clock.monotonic()
        self._issues: dict[str, _Issue] = {}

    def issued(self, token: str) -> bool:
        """Return whether the token was issued here, expired or not."""
        return token in self._issues

    def accepts(self, token: str) -> bool:
        """Return whether the token was issued here, has not expired and was not revoked."""
        issue = self._issues.get(token)
        return issue is not None and self._moment < issue.end and not self.revoked(issue.since)

    def permits(self, token: str) -> bool:
        """Return whether whoever has the token may query DRS."""
        issue = self._issues.get(token)
        return issue is None or issue.permitted

    def revoked(self, since: float) -> bool:
        """Return whether a token of that moment has been revoked."""
        return any(since < moment <= self._moment for moment in self._scenario.revocations)

    def issue(self, body: Any) -> Response:
        """Answer a request for a token: 201 with the token in ``X-Subject-Token``, 400 or 401."""
        user = _at(body, "auth", "identity", "password", "user")
        methods = _at(body, "auth", "identity", "methods")
        name, password = _at(user, "name"), _at(user, "password")
        domain = _at(user, "domain", "name")
        well_formed = all(isinstance(part, str) for part in (name, password, domain))
        if not well_formed or not isinstance(methods, list) or "password" not in methods:
            return _error(400, "Bad Request", "The request body is invalid.")
        known = self._known(name, password, domain)
        # (unverified) the words of all three refusals, and that each is a 401.
        if known is False:
            return _error(401, "Unauthorized", "The username or password is wrong.")
        if known is not True and known.disabled:
            return _error(401, "Unauthorized", "The user is disabled.")
        if known is not True and known.mfa:
            return _error(401, "Unauthorized", "MFA authentication is required for the user.")
        permitted = known is True or known.permitted
        return self._issue("password", name, domain, _at(body, "auth", "scope"), permitted)

    def issue_for_id_token(self, idp_id: str, body: Any) -> Response:
        """Answer a request for a token in exchange for a CI's ID token."""
        id_token = _at(body, "auth", "id_token", "id")
        claims = _claims(id_token) if isinstance(id_token, str) else None
        if claims is None or not idp_id:
            return _error(400, "Bad Request", "The request body is invalid.")
        provider = self._provider(idp_id)
        # (unverified) the status and the words of these refusals.
        if provider is False:
            return _error(404, "Not Found", f"Could not find identity provider: {idp_id}.")
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if provider is not True and provider.audience and provider.audience not in audiences:
            return _error(401, "Unauthorized", "The audience of the ID token is not accepted.")
        end = claims.get("exp")
        if not isinstance(end, int) or end <= self._now().timestamp():
            return _error(401, "Unauthorized", "The ID token has expired.")
        permitted = provider is True or provider.permitted
        scope = _at(body, "auth", "scope")
        return self._issue("mapped", str(claims.get("sub", "")), idp_id, scope, permitted)

    def id_token(self, request: Request, query: str) -> Response:
        """Answer as GitHub does to a job that asks for its ID token."""
        word, _, credential = request.headers.get("authorization", "").partition(" ")
        if word.lower() != "bearer" or not credential.strip():
            return json_reply(401, {"message": "Bearer token missing."})
        audience = parse_qs(query).get("audience", [_DEFAULT_AUDIENCE])[0]
        now = int(self._now().timestamp())
        claims = {
            "iss": "https://ci.invalid",
            "sub": "repo:owner/project:ref:refs/heads/main",
            "aud": audience,
            "iat": now,
            "exp": now + _ID_TOKEN_SECONDS,
        }
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return json_reply(200, {"value": f"{signed}.{_base64(secrets.token_bytes(32))}"})

    def projects(self, name: str) -> Response:
        """Answer a search for projects by name; no name finds all."""
        region = self._scenario.region
        found = [self._project(name)] if not name or region in ("", name) else []
        return json_reply(200, {"projects": found, "links": {}})

    @property
    def _moment(self) -> float:
        return self._clock.monotonic() - self._start

    def _now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._scenario.clock_skew)

    def _issue(self, method: str, name: str, domain: str, scope: Any, permitted: bool) -> Response:
        token = secrets.token_hex(32)
        lifetime = self._scenario.token_lifetime
        self._issues[token] = _Issue(self._moment, self._moment + lifetime, permitted)
        now = self._now()
        value = {
            "token": {
                "methods": [method],
                "issued_at": _spell(now),
                "expires_at": _spell(now + timedelta(seconds=lifetime)),
                "user": {"name": name, "domain": {"name": domain}},
                "project": self._project(_at(scope, "project", "name")),
            }
        }
        return json_reply(201, value, headers=(("X-Subject-Token", token),))

    def _project(self, name: Any) -> dict[str, Any]:
        named = name if isinstance(name, str) and name else "eu-west-101"
        return {
            "id": self._scenario.project_id or DEFAULT_PROJECT_ID,
            "name": self._scenario.region or named,
            "enabled": True,
        }

    def _known(self, name: str, password: str, domain: str) -> User | bool:
        """Return the user, True where everybody is known, or False."""
        if self._scenario.users is None:
            return bool(name) and bool(password)
        return next(
            (
                user
                for user in self._scenario.users
                if user.name == name
                and user.domain in ("", domain)
                and hmac.compare_digest(_bytes(user.password), _bytes(password))
            ),
            False,
        )

    def _provider(self, idp_id: str) -> IdentityProvider | bool:
        if self._scenario.identity_providers is None:
            return True
        providers = self._scenario.identity_providers
        return next((provider for provider in providers if provider.id == idp_id), False)


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _claims(id_token: str) -> dict[str, Any] | None:
    parts = id_token.split(".")
    try:
        value = loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return None
    return value if isinstance(value, dict) and len(parts) == 3 else None


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    # JSON can hold lone surrogates, which plain UTF-8 refuses.
    return text.encode("utf-8", "surrogatepass")


def _error(status: int, title: str, message: str) -> Response:
    # (unverified) that IAM's errors have this form, and all fields of its answers beyond the
    # token, its expiry, and the ID and name of a project.
    return json_reply(status, {"error": {"code": status, "title": title, "message": message}})


def _spell(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
