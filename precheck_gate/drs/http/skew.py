"""How far this computer's clock is from the service's, told by the ``Date`` of its replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.drs.http.messages import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.runtime.clock import Clock

__all__ = ["MAX_SKEW_SECONDS", "Skew"]

# The gateway refuses signatures that are more than 15 minutes off; this is worth a word before.
MAX_SKEW_SECONDS = 300.0


class Skew:
    """Remembers the difference that the last dated reply showed.

    Attributes:
        seconds: how far our clock is ahead; None while nothing is known.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds: float | None = None

    def note(self, headers: Mapping[str, Any]) -> None:
        """Take note of a reply's headers."""
        date = http_date(headers)
        if date is not None:
            self.seconds = (self._clock.now() - date).total_seconds()

    @property
    def advice(self) -> str:
        """What is wrong with the clock and what to do; "" where it is right or unknown."""
        if self.seconds is None or abs(self.seconds) <= MAX_SKEW_SECONDS:
            return ""
        return (
            f"This computer's clock is {self.description} the service's: set it right "
            "(signatures more than 15 minutes off are refused)."
        )

    @property
    def description(self) -> str:
        """The difference in words, such as ``20 min behind``."""
        seconds = self.seconds or 0.0
        size = abs(seconds)
        if size < 1:
            return "within a second of"
        amount = f"{size / 60:.0f} min" if size >= 120 else f"{size:.0f} s"
        return f"{amount} {'ahead of' if seconds > 0 else 'behind'}"
