"""Tokens and keys as they are read and checked; what is wrong is said without quoting any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.drs.auth.identities import IdTokenIdentity, KeyIdentity
from precheck_gate.drs.auth.secret_files import is_word, read_secret
from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import is_slip, told

if TYPE_CHECKING:
    from pathlib import Path

    from precheck_gate.drs.auth.environment import Environment
    from precheck_gate.drs.auth.id_tokens import IdTokenOrigin
    from precheck_gate.safetext.secrets import Secret

__all__ = ["checked_id_token", "checked_key", "read_token", "token_of_variable"]


_ITSELF = "That looks like the token itself: name a file that holds it, or set PRECHECK_GATE_TOKEN."


def read_token(path: Path) -> Secret:
    """Return the token in a file.

    Raises:
        UsageError: the file cannot be read, or holds what is no token.
    """
    token, complaint, hint = read_secret(path)
    if complaint:
        hint = _ITSELF if is_slip(path) else hint
        raise UsageError(f"The token file {told(path)} {complaint}.", hint=hint)
    return _check(token, told(path))


def token_of_variable(environment: Environment, name: str) -> Secret:
    """Return the token in a variable of the environment.

    Raises:
        UsageError: it has characters that no token has.
    """
    return _check(environment.secret(name), name)


def checked_key(key: KeyIdentity, where: str) -> KeyIdentity:
    """Return the key, whose parts go into headers.

    Raises:
        UsageError: a part has characters that no key has.
    """
    parts = (key.access_key, key.secret_key, key.security_token)
    if not all(is_word(part.reveal()) for part in parts if part):
        raise UsageError(
            f"The access key in {where} has characters that no key has.",
            hint="Each part is one line of printable ASCII without blanks.",
        )
    return key


def checked_id_token(idp_id: str, origin: IdTokenOrigin) -> IdTokenIdentity:
    """Return the CI's identity, as far as can be said without asking.

    Raises:
        UsageError: the provider's ID is none, or there is no ID token.
    """
    if not is_word(idp_id):
        raise UsageError("The ID of the identity provider (--idp-id) is not one word.")
    origin.check()
    return IdTokenIdentity(idp_id, origin)


def _check(token: Secret, source: str) -> Secret:
    if not token:
        raise UsageError(
            f"The token in {source} is empty.", hint="Get a new token, and put it there."
        )
    # The characters themselves are not shown: they are part of a secret.
    if not is_word(token.reveal()):
        raise UsageError(
            f"The token in {source} has characters that no token has.",
            hint="It is one line of printable ASCII without blanks; was more put there than it?",
        )
    return token
