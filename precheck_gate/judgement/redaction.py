"""What of the service's texts stays out of every report, for teams that publish no names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Redact", "Redaction"]

LEFT_OUT = "(left out: --redact)"


class Redact(Enum):
    """What to leave out."""

    DATA = "data"
    REASONS = "reasons"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Redaction:
    """Takes texts out before they reach a finding; rules and waivers match what was sent.

    Attributes:
        what: None for nothing.
    """

    what: Redact | None = None

    def data(self, text: str) -> str:
        """Return an item's evidence, which may carry names of the user's objects."""
        return LEFT_OUT if text and self.what in (Redact.DATA, Redact.ALL) else text

    def reason(self, text: str) -> str:
        """Return a reason code or a raw error."""
        return LEFT_OUT if text and self.what in (Redact.REASONS, Redact.ALL) else text

    def identity(self, identity: tuple[str, ...]) -> tuple[str, ...]:
        """Return a finding's identity as its report tells it: with the reason left out or not."""
        return (*identity[:-1], self.reason(identity[-1]))
