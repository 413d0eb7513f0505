"""Verifies signatures SDK-HMAC-SHA256 as the gateway is documented to do."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from precheck_gate.drs.auth.access_key import DATE_FORMAT, signature
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from precheck_gate.runtime.clock import Clock
    from precheck_gate.simulator.model import AccessKey, Scenario
    from precheck_gate.simulator.requests import Request

__all__ = ["SignatureCheck"]

_SIGNATURE = re.compile(
    r"SDK-HMAC-SHA256 +Access=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([0-9A-Fa-f]+)"
)
_MAX_SKEW = timedelta(minutes=15)
# (unverified) the gateway's own words for what is wrong with a signature.
_WRONG = "Incorrect IAM authentication information"


class SignatureCheck:
    """Knows the scenario's access keys.

    Args:
        scenario: whose keys are accepted; without any, every signature is, for its form.
        clock: where the time comes from.
    """

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
