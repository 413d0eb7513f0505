"""The world outside that commands work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.runtime.clock import SystemClock
from precheck_gate.runtime.signals import Interrupts

if TYPE_CHECKING:
    from precheck_gate.runtime.clock import Clock


@dataclass
class Runtime:
    """The world outside that a command works with; tests pass their own."""

    interrupts: Interrupts = field(default_factory=Interrupts)
    clock: Clock | None = None

    def the_clock(self) -> Clock:
        """Return the clock, the computer's own unless another was given."""
        return self.clock or SystemClock(self.interrupts)
