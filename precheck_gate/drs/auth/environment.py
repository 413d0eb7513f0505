"""The environment as credentials are looked for in it: a mapping that shows none of its values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.drs.auth.variables import SECRET_VARIABLES
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Environment"]


class Environment:
    """Variables of the environment, stripped; a frame that holds it shows no secret.

    Args:
        variables: such as ``os.environ``.
        home: the user's folder; None where there is none.
    """

    def __init__(self, variables: Mapping[str, str], home: Path | None = None) -> None:
        self._variables = variables
        self.home = home

    def __repr__(self) -> str:
        return "Environment(...)"

    def has(self, *names: str) -> bool:
        """Return whether all of the variables are set to something."""
        return all(self._variables.get(name, "").strip() for name in names)

    def get(self, *names: str) -> str:
        """Return the first of the variables that is set to something, which is no secret, or ""."""
        name = self.first(names)
        return self._variables[name].strip() if name else ""

    def secret(self, name: str) -> Secret:
        """Return the value of a variable, "" where it is not set."""
        return Secret(self._variables.get(name, "").strip())

    def know_secrets(self) -> None:
        """Have every credential hidden that stands in a variable, whether it is used or not."""
        for name in (*SECRET_VARIABLES, self.get("PRECHECK_GATE_ID_TOKEN_VARIABLE")):
            self.secret(name)

    def first(self, names: Iterable[str]) -> str:
        """Return the name of the first variable that is set to something, or ""."""
        return next((name for name in names if self.has(name)), "")

    @classmethod
    def of_process(cls) -> Environment:
        """Return the environment of this process."""
        import os

        try:
            home = Path.home()
        except RuntimeError:
            home = None
        return cls(os.environ, home)
