"""How a request says who asks: requests' auth objects, one class a kind of credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    from requests import PreparedRequest

    from precheck_gate.secrets import Secret

__all__ = ["TokenAuth"]


class TokenAuth(AuthBase):
    """An IAM token in ``X-Auth-Token``; it lives for 24 hours.

    As an auth object it also keeps requests from looking for credentials in ``~/.netrc``.
    """

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token on a request."""
        request.headers["X-Auth-Token"] = self._token.reveal()
        return request
