"""The simulated IAM: issues tokens to users and finds the project of a region."""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from precheck_gate.simulator.model import DEFAULT_PROJECT_ID
from precheck_gate.simulator.replies import Reply, json_reply

if TYPE_CHECKING:
    from precheck_gate.clock import Clock
    from precheck_gate.simulator.model import Scenario

__all__ = ["SimulatedIam"]


class SimulatedIam:
    """Knows the scenario's users and the tokens that it issued.

    Args:
        scenario: whom IAM knows, and for how long its tokens live.
        clock: where the time comes from.
    """

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._scenario = scenario
        self._clock = clock
        self._ends: dict[str, float] = {}

    def issued(self, token: str) -> bool:
        """Return whether the token was issued here, expired or not."""
        return token in self._ends

    def accepts(self, token: str) -> bool:
        """Return whether the token was issued here and has not expired."""
        return self._clock.monotonic() < self._ends.get(token, float("-inf"))

    def issue(self, body: Any) -> Reply:
        """Answer a request for a token: 201 with the token in ``X-Subject-Token``, 400 or 401."""
        user = _at(body, "auth", "identity", "password", "user")
        methods = _at(body, "auth", "identity", "methods")
        name, password = _at(user, "name"), _at(user, "password")
        domain = _at(user, "domain", "name")
        well_formed = all(isinstance(part, str) for part in (name, password, domain))
        if not well_formed or not isinstance(methods, list) or "password" not in methods:
            return _error(400, "Bad Request", "The request body is invalid.")
        if not self._knows(name, password, domain):
            return _error(401, "Unauthorized", "The username or password is wrong.")
        token = secrets.token_hex(32)
        self._ends[token] = self._clock.monotonic() + self._scenario.token_lifetime
        now = self._clock.now()
        value = {
            "token": {
                "methods": ["password"],
                "issued_at": _spell(now),
                "expires_at": _spell(now + timedelta(seconds=self._scenario.token_lifetime)),
                "user": {"name": name, "domain": {"name": domain}},
                "project": self._project(_at(body, "auth", "scope", "project", "name")),
            }
        }
        return json_reply(201, value, headers=(("X-Subject-Token", token),))

    def projects(self, name: str) -> Reply:
        """Answer a search for projects by name; no name finds all."""
        region = self._scenario.region
        found = [self._project(name)] if not name or region in ("", name) else []
        return json_reply(200, {"projects": found, "links": {}})

    def _project(self, name: Any) -> dict[str, Any]:
        named = name if isinstance(name, str) and name else "eu-west-101"
        return {
            "id": self._scenario.project_id or DEFAULT_PROJECT_ID,
            "name": self._scenario.region or named,
            "enabled": True,
        }

    def _knows(self, name: str, password: str, domain: str) -> bool:
        if self._scenario.users is None:
            return bool(name) and bool(password)
        return any(
            user.name == name
            and user.domain in ("", domain)
            and hmac.compare_digest(_bytes(user.password), _bytes(password))
            for user in self._scenario.users
        )


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _bytes(text: str) -> bytes:
    # JSON can hold lone surrogates, which plain UTF-8 refuses.
    return text.encode("utf-8", "surrogatepass")


def _error(status: int, title: str, message: str) -> Reply:
    # (unverified) that IAM's errors have this form, and all fields of its answers beyond the
    # token, its expiry, and the ID and name of a project.
    return json_reply(status, {"error": {"code": status, "title": title, "message": message}})


def _spell(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
