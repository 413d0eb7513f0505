"""What a judgement rests on besides what the service said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from precheck_gate.policy.model import Policy

LEFT_OUT = "(left out: --redact)"


class Redact(Enum):
    """What to leave out."""

    DATA = "data"
    REASONS = "reasons"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Redaction:
    """Removes texts before they reach a finding. Rules and waivers match what was sent."""

    what: Redact | None = None

    def data(self, text: str) -> str:
        """Return an item's evidence, which may carry names of the user's objects."""
        return LEFT_OUT if text and self.what in (Redact.DATA, Redact.ALL) else text

    def reason(self, text: str) -> str:
        """Return a reason code or a raw error."""
        return LEFT_OUT if text and self.what in (Redact.REASONS, Redact.ALL) else text

    def identity(self, identity: tuple[str, ...]) -> tuple[str, ...]:
        """Return the identity of a finding as it is in reports."""
        return (*identity[:-1], self.reason(identity[-1]))


Advise = Callable[[str, str, str], str]
"""(item, group, failed reason) → the next step for a person."""


def _no_group(item: str) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True)
class JudgementContext:
    """What a judgement rests on besides the snapshot.

    Attributes:
        today: the day of the judgement in UTC; waivers begin and expire by it.
        advise: returns the next step for an item that does not pass.
        known: identities of the findings in the baseline report.
        group_of: returns the group of an item that the service sent without one; "" if unknown.
        unfinished: the next step for a pre-check that has not ended.
    """

    policy: Policy
    today: date
    advise: Advise
    known: frozenset[tuple[str, ...]] = frozenset()
    redaction: Redaction = field(default_factory=Redaction)
    group_of: Callable[[str], str] = _no_group
    unfinished: str = "Run the gate again when the pre-check has ended. Check that it was started."
