"""An IAM token that was obtained elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.drs.auth.credential import (
    Credential,
    Option,
    Place,
    Rank,
    Variables,
    in_variables,
    is_word,
    read_secret,
)
from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import looks_like_secret, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from requests import PreparedRequest

    from precheck_gate.drs.auth.credential import AuthContext, Environment
    from precheck_gate.safetext.secrets import Secret


class IamToken(Credential):
    """A token, sent in ``X-Auth-Token``. It is valid for 24 hours and cannot be renewed."""

    auth = "token"
    label = "token"
    lookup = "a token in the environment"
    missing = "Set PRECHECK_GATE_TOKEN, HW_AUTH_TOKEN or OS_TOKEN, or give --token-file."
    holder = "The token's user"
    advice = "The token is wrong or has expired (it is valid for 24 h): get a new one."
    options = (
        Option(
            "--token-file",
            "FILE",
            "Read the IAM token from a file. Overrides the environment.",
            file="token file",
            names_credential=True,
        ),
    )
    variables = (
        Variables(("PRECHECK_GATE_TOKEN",)),
        Variables(("HW_AUTH_TOKEN",)),
        Variables(("OS_TOKEN",)),
    )

    def __init__(self, token: Secret) -> None:
        self._token = token

    @classmethod
    def find(cls, options: Mapping[str, Any], environment: Environment) -> Iterator[Place]:
        """Yield the file that an option names, then the variables."""
        if (path := options.get("token_file")) is not None:
            yield Place(cls, safe_name(path), lambda: cls.of_file(path), Rank.NAMED)
        yield from in_variables(cls, environment, cls.of_variables)

    @classmethod
    def of_file(cls, path: Path) -> IamToken:
        """Return the token in a file.

        Raises:
            UsageError: the file cannot be read, or holds no valid token.
        """
        token, complaint = read_secret(path)
        if complaint:
            hint = "Check the path and its permissions."
            if looks_like_secret(path):
                hint = (
                    "This looks like the token itself. Give the path of a file that contains it, "
                    "or set PRECHECK_GATE_TOKEN."
                )
            raise UsageError(f"The token file {safe_name(path)} {complaint}.", hint=hint)
        return cls._checked(token, safe_name(path))

    @classmethod
    def of_variables(cls, environment: Environment, names: Variables) -> IamToken:
        """Return the token in a variable."""
        (name,) = names.required
        return cls._checked(environment.secret(name), name)

    @classmethod
    def _checked(cls, token: Secret, source: str) -> IamToken:
        if not token:
            raise UsageError(f"The token in {source} is empty.", hint="Get a new token.")
        # The characters themselves are not shown: they are part of a secret.
        if not is_word(token.reveal()):
            raise UsageError(
                f"The token in {source} contains invalid characters.",
                hint="A token is one line of printable ASCII without spaces. Remove all else.",
            )
        return cls(token)

    def sign(self, request: PreparedRequest, context: AuthContext) -> None:  # noqa: ARG002
        """Put the token on a request."""
        request.headers["X-Auth-Token"] = self._token.reveal()
