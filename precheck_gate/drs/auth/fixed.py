"""Credentials that are what they are: a token from outside, an access key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.drs.auth.requests_auth import KeyAuth, TokenAuth

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.auth import AuthBase

    from precheck_gate.drs.auth.identities import KeyIdentity, TokenIdentity
    from precheck_gate.runtime.clock import Clock

__all__ = ["KeyCredential", "TokenCredential"]


class _Fixed:
    """Nothing to obtain, nothing to renew."""

    def ready(self, seconds: float) -> None:
        """Do nothing: it is there."""

    def renew(self, seconds: float) -> bool:  # noqa: ARG002
        """Return False: whoever gave it has to give another."""
        return False


class TokenCredential(_Fixed):
    """An IAM token that was obtained elsewhere."""

    name = "token"
    holder = "The token's user"
    advice = "The token is wrong or has expired (it lives 24 h): get a new one."

    def __init__(self, identity: TokenIdentity, source: str) -> None:
        self.source = source
        self._token = identity.token

    def auth(self) -> AuthBase:
        """Return what puts the token on a request."""
        return TokenAuth(self._token)


class KeyCredential(_Fixed):
    """An access key, with which each request is signed; its secret is never sent.

    Args:
        identity: the key.
        name: what it is called.
        source: where it was found.
        project_id: returns the project that is asked for, "" while it is not known.
        clock: the time of the signatures.
    """

    holder = "The access key's user"

    def __init__(
        self,
        identity: KeyIdentity,
        name: str,
        source: str,
        project_id: Callable[[], str],
        clock: Clock,
    ) -> None:
        self.name = name
        self.source = source
        self._auth = KeyAuth(
            identity.access_key,
            identity.secret_key,
            identity.security_token,
            project_id,
            clock,
        )
        self.advice = (
            "The temporary access key is wrong or has ended: get a new one with its security token."
            if identity.security_token
            else "The access key or its secret is wrong, or it was disabled: check it in IAM "
            "(a temporary one needs its security token, too)."
        )

    def auth(self) -> AuthBase:
        """Return what signs a request."""
        return self._auth
