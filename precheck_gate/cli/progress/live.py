"""Progress on a terminal: a table that is drawn anew with each event, and gone at the end.

Nothing is drawn by a thread, and the cursor is never hidden: whenever the process ends, and
however, the terminal is as it was.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole

from precheck_gate.cli.progress.board import Board
from precheck_gate.cli.progress.lines import Signs, draw
from precheck_gate.cli.progress.plain import PlainProgress, minutes
from precheck_gate.polling.events import (
    Answered,
    Asked,
    Event,
    Faulted,
    Remarked,
    TaskChanged,
    Waiting,
)
from precheck_gate.safetext.cleaning import count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.model.snapshots import About, Snapshot
    from precheck_gate.model.verdicts import Verdict
    from precheck_gate.runtime.clock import Clock
    from precheck_gate.runtime.console import Console

__all__ = ["LiveProgress"]

_SHORT_STATUS = 70
_SHORTEST_LOOK = 0.1


class LiveProgress:
    """Shows all tasks at once; what is worth keeping is printed above them.

    Args:
        console: what to print on.
        clock: for ages and estimates.
        task_ids: the tasks of the run.
        judge: what the policy says of a pre-check that has ended.
        verbose: whether each change is printed as well.
        names: what the tasks are called, as far as it is known; may be filled later.
    """

    # Between two drawings while the gate waits: it counts down before one's eyes.
    heartbeat = 1.0

    def __init__(
        self,
        console: Console,
        clock: Clock,
        task_ids: Sequence[str],
        judge: Callable[[Snapshot], Verdict],
        *,
        verbose: bool = False,
        names: Mapping[str, About] | None = None,
    ) -> None:
        self._console = console
        self._clock = clock
        self._verbose = verbose
        self._board = Board(task_ids, judge)
        self._names = names if names is not None else {}
        self._lines = PlainProgress(
            console, clock, len(task_ids), verbose=verbose, names=self._names
        )
        self._signs = Signs.for_terminal(ascii_only=console.symbols(console.progress)[0] == "ok")
        self._started = clock.monotonic()
        self._drawn_at = float("-inf")
        self._status = "asking for the first time"
        self._fault = ""
        self._widths: list[int] = []
        console.before_line = self._erase

    def notify(self, event: Event) -> None:
        """Take note of an event, and draw."""
        now = self._clock.monotonic()
        match event:
            case Asked(task_ids=task_ids):
                self._status = _asking(len(task_ids), self._fault)
                self._fault = ""
            case Answered(task_ids=task_ids):
                self._board.answered(task_ids, now)
            case TaskChanged():
                self._board.change(event, now)
            case Faulted(message=message):
                self._fault = message.rstrip(".")
            case Waiting():
                self._status = self._describe_wait(event)
        for task_id, about in self._names.items():
            self._board.call(task_id, about.name)
        if self._is_kept(event):
            self._lines.notify(event)
        # Hundreds of tasks change at the same moment: nobody could read each step.
        if isinstance(event, Waiting | Faulted) or now - self._drawn_at >= _SHORTEST_LOOK:
            self._draw()

    def _is_kept(self, event: Event) -> bool:
        """Return whether an event is worth a line that stays."""
        match event:
            case Remarked() | Faulted(delay=None):
                return True
            case Waiting():
                return False
        return self._verbose

    def close(self) -> None:
        """Leave the terminal clean; the table stays where no verdict takes its place."""
        self._console.before_line = None
        if self._console.columns(self._console.result) is None:
            self._status = f"ended after {minutes(self._clock.monotonic() - self._started)}"
            if self._widths:
                self._draw()
            self._widths.clear()
        self._erase()

    def _describe_wait(self, event: Waiting) -> str:
        delay = f"{max(1.0, event.delay):.0f} s"
        if self._fault:
            return f"{self._reason()}, next try in {delay}"
        columns = self._console.columns(self._console.progress) or 80
        left = f"; {minutes(event.left)} until the gate gives up" if columns > _SHORT_STATUS else ""
        return f"next question in {delay}{left}"

    def _reason(self) -> str:
        """Return why the last request failed, in as many words as there is room for."""
        columns = self._console.columns(self._console.progress) or 80
        if re.search(r"\b429\b|throttl|too many", self._fault, re.IGNORECASE):
            return "throttled"
        room = columns - len("  , next try in 000 s ")
        if len(self._fault) <= room:
            return self._fault
        return f"{self._fault[: max(8, room - 3)].rstrip()}..."

    def _draw(self) -> None:
        columns = self._console.columns(self._console.progress) or 80
        rows = self._console.rows(self._console.progress)
        times = (self._clock.monotonic(), self._started)
        lines = draw(self._board, self._signs, (columns, rows), times, self._status)
        rich = RichConsole(
            file=io.StringIO(),
            force_terminal=True,
            color_system="standard" if self._console.coloured(self._console.progress) else None,
            width=max(10, columns),
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )
        with rich.capture() as captured:
            for line in lines:
                rich.print(line, no_wrap=True, overflow="crop", crop=True)
        drawn = captured.get().rstrip("\n").split("\n")
        # One write, each line wiped from its end only: nothing flickers.
        self._console.write_raw(
            self._to_the_top() + "".join(f"{line}\x1b[K\n" for line in drawn) + "\x1b[J"
        )
        self._drawn_at = self._clock.monotonic()
        self._widths = [line.cell_len for line in lines]

    def _to_the_top(self) -> str:
        """Return what moves the cursor to the first line of the table."""
        columns = self._console.columns(self._console.progress) or 80
        # A terminal that became narrower since has folded lines that were as wide as before.
        rows = sum(max(1, -(-width // columns)) for width in self._widths)
        rows = min(rows, self._console.rows(self._console.progress) - 1)
        return f"\r\x1b[{rows}A" if rows else ""

    def _erase(self) -> None:
        if self._widths:
            self._console.write_raw(f"{self._to_the_top()}\x1b[J")
            self._widths.clear()


def _asking(number: int, fault: str) -> str:
    tasks = count(number, "task")
    return f"trying again, asking for {tasks}" if fault else f"asking for {tasks}"
