"""Auth objects of requests: what puts a credential on a request, and where it may go.

With an auth object, requests does not look for credentials in ``~/.netrc``, and no frame that an
error carries holds what was put on the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.auth import AuthBase

from precheck_gate.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest


class NoAuth(AuthBase):
    """No credential."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Leave a request as it is."""
        return request


class BoundAuth(AuthBase):
    """A credential that may go to some places only.

    Args:
        sign: puts the credential on a request.
        urls: base URLs of the places.
    """

    def __init__(self, sign: Callable[[PreparedRequest], None], *urls: str) -> None:
        self._sign = sign
        self._origins = frozenset(_origin(url) for url in urls if url)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the credential on a request if it goes to one of the places."""
        if _origin(request.url or "") not in self._origins:
            raise ServiceError(
                "A credential was about to be sent to a host that is not configured."
            )
        self._sign(request)
        return request


def _origin(url: str) -> tuple[str, str, int | None]:
    """Return the scheme, host and port of a URL."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default
