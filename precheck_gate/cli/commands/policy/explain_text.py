"""How an explanation is laid out: a heading with the effect, what was looked at, what decided."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Effect
from precheck_gate.runtime.console import Style
from precheck_gate.safetext.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.runtime.console import Console

__all__ = ["Explained", "Explanation"]

WIDTH = 100
_STYLES = {Effect.ALLOW: Style.GOOD, Effect.WARN: Style.WARNING, Effect.BLOCK: Style.BAD}


@dataclass(frozen=True, slots=True)
class Explained:
    """What came of one item; ``waiver`` is what made a warning of it, "" for none."""

    name: str
    status: str
    effect: Effect
    trace: Sequence[str]
    decided_by: str
    reason: str = ""
    waiver: str = ""


class Explanation:
    """Prints explanations; every text is made harmless on the way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._first = True

    def heading(self, name: str, status: str, style: str = Style.STRONG) -> None:
        """Print the first line of a block, with an empty line before it."""
        if not self._first:
            self._console.print_result("")
        self._first = False
        result = self._console.result
        strong = self._console.paint(result, Style.STRONG, name)
        rest = f"  {self._console.paint(result, style, status)}" if status else ""
        self._console.print_result(f"{strong}{rest}")

    def line(self, text: str, indent: int = 2) -> None:
        """Print a line, wrapped."""
        blank = " " * indent
        for line in textwrap.wrap(
            clean(text),
            WIDTH,
            initial_indent=blank,
            subsequent_indent=blank + "  ",
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self._console.print_result(line)

    def item(self, explained: Explained, *, any_waivers: bool) -> None:
        """Print what came of one item, and why."""
        effect = explained.effect
        self.heading(explained.name, f"{explained.status}: {effect.value}", _STYLES[effect])
        for step in explained.trace or ["no rule or requirement to look at"]:
            self.line(f"looked at   {step}")
        by_policy = not explained.decided_by.startswith("gate: ")
        looked = any(step.startswith("waiver ") for step in explained.trace)
        if any_waivers and by_policy and not looked:
            self.line("waivers     were not looked at: there is nothing to waive")
        # What a waiver has changed is no longer what the policy's line says.
        said = "" if explained.waiver else f": {effect.value}"
        self.line(f"decided by  {explained.decided_by}{said}")
        if explained.reason:
            self.line(f"reason      {explained.reason}")
        if explained.waiver:
            self.line(f"waived by   {explained.waiver}")
