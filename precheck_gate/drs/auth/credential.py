"""What the client needs of a credential, whatever its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from requests.auth import AuthBase

__all__ = ["Credential"]


class Credential(Protocol):
    """One way to say who asks, ready to be used.

    Attributes:
        name: what it is, for people, such as ``token``.
        source: where it was found, by name and never by value.
        holder: whose permissions hold, for people, such as ``the token's user``.
        advice: what to do when the service does not accept it.
    """

    name: str
    source: str
    holder: str
    advice: str

    def auth(self) -> AuthBase:
        """Return what puts the credential of the moment on a request."""
        ...

    def ready(self, seconds: float) -> None:
        """Obtain what there is to obtain, or renew it before it ends, within ``seconds``.

        Raises:
            ServiceError: it is not to be had; `TransientFault` where that may pass.
        """
        ...

    def renew(self, seconds: float) -> bool:
        """Obtain it anew, since the service did not accept it; return False if that cannot be.

        Raises:
            ServiceError: see `ready`.
        """
        ...
