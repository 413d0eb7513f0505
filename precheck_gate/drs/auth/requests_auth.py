"""How a request says who asks: requests' auth objects, one class a kind of credential.

As auth objects they also keep requests from looking for credentials in ``~/.netrc``, and what they
put on a request is in no frame that an error of ours would carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from requests.auth import AuthBase

from precheck_gate.drs.auth.signing import sign
from precheck_gate.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from precheck_gate.runtime.clock import Clock
    from precheck_gate.safetext.secrets import Secret

__all__ = ["BearerAuth", "BoundAuth", "KeyAuth", "NoAuth", "SecretBody", "TokenAuth", "origin"]


class TokenAuth(AuthBase):
    """An IAM token in ``X-Auth-Token``; it lives for 24 hours.

    Args:
        token: the token, or what returns the one of the moment.
    """

    def __init__(self, token: Secret | Callable[[], Secret]) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token on a request."""
        token = self._token() if callable(self._token) else self._token
        request.headers["X-Auth-Token"] = token.reveal()
        return request


class KeyAuth(AuthBase):
    """A signature made with an access key, permanent or temporary.

    Args:
        access_key: the key's ID.
        secret_key: its secret.
        security_token: what comes with temporary keys.
        project_id: returns the project that is asked for, "" while it is not known.
        clock: the time of the signature.
    """

    def __init__(
        self,
        access_key: Secret,
        secret_key: Secret,
        security_token: Secret | None,
        project_id: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._security_token = security_token
        self._project_id = project_id
        self._clock = clock

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request; headers that a proxy may change are left out of the signature."""
        parts = urlsplit(request.url or "")
        headers = {"Host": str(parts.netloc)}
        if content_type := request.headers.get("Content-Type"):
            headers["Content-Type"] = str(content_type)
        if project_id := self._project_id():
            headers["X-Project-Id"] = project_id
        if self._security_token:
            headers["X-Security-Token"] = self._security_token.reveal()
        body = request.body or b""
        request.headers.update(
            sign(
                request.method or "GET",
                str(parts.path) or "/",
                parse_qsl(str(parts.query), keep_blank_values=True),
                headers,
                body.encode() if isinstance(body, str) else bytes(body),
                access_key=self._access_key,
                secret_key=self._secret_key,
                moment=self._clock.now(),
            )
        )
        return request


class BearerAuth(AuthBase):
    """A bearer token, with which a CI system gives out its identity."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token on a request."""
        request.headers["Authorization"] = f"bearer {self._token.reveal()}"
        return request


class SecretBody(AuthBase):
    """A body that is a credential itself: a password, an ID token.

    Args:
        build: returns the body; called when the request is about to be sent.
    """

    def __init__(self, build: Callable[[], bytes]) -> None:
        self._build = build

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the body on a request."""
        request.body = self._build()
        request.headers["Content-Type"] = "application/json"
        return request


class NoAuth(AuthBase):
    """No credential at all."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Leave a request as it is."""
        return request


class BoundAuth(AuthBase):
    """Another auth object, and the only places that its credential may go to.

    Args:
        inner: what puts the credential on a request.
        urls: base URLs of the places.
    """

    def __init__(self, inner: AuthBase, *urls: str) -> None:
        self._inner = inner
        self._origins = frozenset(origin(url) for url in urls if url)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the credential on a request, if it goes where it may."""
        if origin(request.url or "") not in self._origins:
            raise ServiceError(
                "A credential was about to be sent to a host that is not configured."
            )
        signed: PreparedRequest = self._inner(request)
        return signed


def origin(url: str) -> tuple[str, str, int | None]:
    """Return the scheme, host and port that a URL leads to."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default
