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


Advise = Callable[[str, str, str], str]
"""(item, group, failed reason) → the next step for a person."""


def _no_group(item: str) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True)
class JudgementContext:
    """What a judgement rests on besides the snapshot.

    Attributes:
        policy: what each item means.
        today: the day of the judgement in UTC; waivers begin and expire by it.
        advise: tells the next step; asked only for what does not pass.
        group_of: tells the group of an item that the service did not send; "" where nobody knows.
        known: identities (`Finding.identity`) of what the baseline report had already.
        unfinished: the next step for a pre-check that has not ended.
        redaction: what of the service's texts is left out of every report.
    """

    policy: Policy
    today: date
    advise: Advise
    known: frozenset[tuple[str, ...]] = frozenset()
    redaction: Redaction = field(default_factory=Redaction)
    group_of: Callable[[str], str] = _no_group
    unfinished: str = "Run the gate again when the pre-check has ended. Check that it was started."
