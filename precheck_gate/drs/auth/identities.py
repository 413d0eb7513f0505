"""Who asks, as it was found: values, each of a kind of its own; nothing is obtained yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precheck_gate.drs.auth.id_tokens import IdTokenOrigin
    from precheck_gate.safetext.secrets import Secret

__all__ = [
    "Found",
    "IdTokenIdentity",
    "Identity",
    "KeyIdentity",
    "TokenIdentity",
    "UserIdentity",
    "Way",
]


class Way(Enum):
    """The ways to say who asks, as ``--auth`` names them."""

    TOKEN = "token"  # noqa: S105  # the name of a way
    USER = "user"
    KEY = "aksk"
    ID_TOKEN = "oidc"  # noqa: S105  # the name of a way
    PROFILE = "profile"

    @property
    def label(self) -> str:
        """What a credential of this way is called."""
        return _LABELS[self]


_LABELS = {
    Way.TOKEN: "token",
    Way.USER: "IAM user",
    Way.KEY: "access key",
    Way.ID_TOKEN: "CI identity",
    Way.PROFILE: "credential",
}


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """An IAM token that somebody else obtained."""

    token: Secret


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """An IAM user with a password; ``domain`` is the name of the account."""

    name: str
    password: Secret
    domain: str


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """An access key; temporary ones come with a security token."""

    access_key: Secret
    secret_key: Secret
    security_token: Secret | None = None


@dataclass(frozen=True, slots=True)
class IdTokenIdentity:
    """The identity of a CI job, for which IAM gives a token."""

    idp_id: str
    origin: IdTokenOrigin


Identity = TokenIdentity | UserIdentity | KeyIdentity | IdTokenIdentity


@dataclass(frozen=True, slots=True)
class Found:
    """The identity to use, and what people are told about it.

    Attributes:
        identity: who asks.
        way: how it was found.
        source: where, by name and never by value.
        project_id: of the same place; "" where it says none.
        iam_endpoint: of the same place; "" where it says none.
        warnings: what people should know.
    """

    identity: Identity
    way: Way
    source: str
    project_id: str = ""
    iam_endpoint: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What the credential is called."""
        match self.identity:
            case TokenIdentity():
                return Way.TOKEN.label
            case UserIdentity():
                return Way.USER.label
            case KeyIdentity(security_token=token):
                return f"{'temporary ' if token else ''}{Way.KEY.label}"
            case _:
                return Way.ID_TOKEN.label

    @property
    def description(self) -> str:
        """What is used and where it comes from, such as ``token from OS_TOKEN``."""
        return f"{self.label} from {self.source}"

    @property
    def needs_iam(self) -> bool:
        """Whether IAM has to be asked before the service can be."""
        return isinstance(self.identity, UserIdentity | IdTokenIdentity)
