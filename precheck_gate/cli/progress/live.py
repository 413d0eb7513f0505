"""Progress on a terminal: a table that each event redraws, and that is gone at the end.

No thread draws, and the cursor is never hidden: however the process ends, the terminal is as it
was. Texts of the service are put into `Text` objects, where nothing is read as markup.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole
from rich.text import Text

from precheck_gate.cli.progress import PlainProgress, minutes
from precheck_gate.cli.progress.board import Board, TaskStatus, fitted, whole_names
from precheck_gate.model.snapshots import Status
from precheck_gate.polling.events import (
    Answered,
    Asked,
    Event,
    Faulted,
    Remarked,
    TaskChanged,
    Waiting,
)
from precheck_gate.runtime.console import cells
from precheck_gate.safetext.cleaning import clean_line, count, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.cli.progress.board import TaskState
    from precheck_gate.model.snapshots import About, Snapshot
    from precheck_gate.model.verdicts import Verdict
    from precheck_gate.runtime.console import Console
    from precheck_gate.runtime.process import Clock

_SHORT_STATUS = 70  # columns; without more, the status leaves out the timeout
_REDRAW_SECONDS = 0.1


class LiveProgress:
    """Shows all tasks at once; lines worth keeping are printed above them.

    Args:
        judge: returns the verdict of a finished pre-check.
        names: the tasks' names, as far as they are known; may be filled later.
    """

    # Seconds between two drawings while the gate waits, so that it visibly counts down.
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
        self._status = "starting"
        self._fault = ""
        self._widths: list[int] = []
        console.before_line = self._erase

    def notify(self, event: Event) -> None:
        """Take an event into account, and redraw."""
        now = self._clock.monotonic()
        match event:
            case Asked(task_ids=task_ids):
                what = "retrying" if self._fault else "polling"
                self._status = f"{what} {count(len(task_ids), 'task')}"
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
        # Hundreds of tasks may change at the same moment: nobody could read each step.
        if isinstance(event, Waiting | Faulted) or now - self._drawn_at >= _REDRAW_SECONDS:
            self._draw()

    def _is_kept(self, event: Event) -> bool:
        """Return whether an event gets a line that stays."""
        match event:
            case Remarked() | Faulted(delay=None):
                return True
            case Waiting():
                return False
        return self._verbose

    def close(self) -> None:
        """Leave the terminal clean; the table stays only if the verdict goes elsewhere."""
        self._console.before_line = None
        if self._console.columns(self._console.result) is None:
            self._status = f"ended after {minutes(self._clock.monotonic() - self._started)}"
            if self._widths:
                self._draw()
            self._widths.clear()
        self._erase()

    @property
    def _columns(self) -> int:
        return self._console.columns(self._console.progress) or 80

    def _describe_wait(self, event: Waiting) -> str:
        delay = f"{max(1.0, event.delay):.0f} s"
        if self._fault:
            return f"{self._reason()}, retry in {delay}"
        left = f", timeout in {minutes(event.left)}" if self._columns > _SHORT_STATUS else ""
        return f"next poll in {delay}{left}"

    def _reason(self) -> str:
        """Return why the last request failed, as far as there is room."""
        if re.search(r"\b429\b|throttl|too many", self._fault, re.IGNORECASE):
            return "throttled"
        room = self._columns - len("  , retry in 000 s ")
        if len(self._fault) <= room:
            return self._fault
        return f"{self._fault[: max(8, room - 3)].rstrip()}..."

    def _draw(self) -> None:
        size = (self._columns, self._console.rows(self._console.progress))
        times = (self._clock.monotonic(), self._started)
        lines = draw(self._board, self._signs, size, times, self._status)
        rich = RichConsole(
            file=io.StringIO(),
            force_terminal=True,
            color_system="standard" if self._console.coloured(self._console.progress) else None,
            width=max(10, self._columns),
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
        # One write, and each line is erased only behind its end: nothing flickers.
        self._console.write_raw(
            self._to_the_top() + "".join(f"{line}\x1b[K\n" for line in drawn) + "\x1b[J"
        )
        self._drawn_at = self._clock.monotonic()
        self._widths = [line.cell_len for line in lines]

    def _to_the_top(self) -> str:
        """Return what moves the cursor to the first line of the table."""
        # A terminal that has become narrower since then has wrapped the lines.
        rows = sum(max(1, -(-width // self._columns)) for width in self._widths)
        rows = min(rows, self._console.rows(self._console.progress) - 1)
        return f"\r\x1b[{rows}A" if rows else ""

    def _erase(self) -> None:
        if self._widths:
            self._console.write_raw(f"{self._to_the_top()}\x1b[J")
            self._widths.clear()


# The table as lines of rich, cut to the width of the terminal

NARROW = 60
WIDE = 110
AGE_AT = 116  # the last column of an age, so that it stays near its line
SHORT_BAR, LONG_BAR = 6, 16
# The columns behind the bar: percentage, items, and verdict or age.
AFTER_NARROW, AFTER, AFTER_WIDE = 18, 29, 51


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters that a terminal can show."""

    full: str
    empty: str
    running: str
    unseen: str
    good: str
    bad: str
    cut: str
    more: str

    @classmethod
    def for_terminal(cls, *, ascii_only: bool) -> Signs:
        """Return the characters for a terminal with Unicode, or with ASCII only."""
        if ascii_only:
            return cls("#", "-", ">", ".", "ok", "X", "~", "+")
        return cls("━", "╌", "▸", "·", "✓", "✗", "…", "…")

    def mark(self, status: TaskStatus) -> str:
        """Return the character in front of a task."""
        match status:
            case TaskStatus.UNSEEN:
                return self.unseen
            case TaskStatus.RUNNING:
                return self.running
            case TaskStatus.PASSED:
                return self.good
            case TaskStatus.BLOCKED:
                return self.bad
            case _:
                return "!"


# The word and the style; the most important first, since a narrow terminal cuts the end.
_LOOKS = {
    TaskStatus.BLOCKED: ("blocked", "red"),
    TaskStatus.TROUBLED: ("failing", "yellow"),
    TaskStatus.WARNED: ("with warnings", "yellow"),
    TaskStatus.PASSED: ("passed", "green"),
    TaskStatus.RUNNING: ("running", "cyan"),
    TaskStatus.UNSEEN: ("no answer yet", "dim"),
}


def draw(
    board: Board, signs: Signs, size: tuple[int, int], times: tuple[float, float], status: str
) -> list[Text]:
    """Return the lines of the table for a terminal of ``size``, columns and lines.

    ``times`` are now and the start of the run; ``status`` says what the gate is doing.
    """
    columns, rows = size
    # The last column stays free: writing to it makes a terminal wrap.
    room = max(10, columns - 1)
    now, started = times
    shown, rest = board.select(max(1, rows - 4))
    lines = [_overall(board, signs, room, now, started)]
    names = whole_names(board.tasks.values(), whole_ids=room >= WIDE)
    name_columns, bar = _widths(board, max(map(cells, names.values()), default=0), signs, room)
    fitting = fitted(shown, names, name_columns, signs.cut)
    lines += [
        _task(task, name, bar, signs, room, now) for task, name in zip(shown, fitting, strict=True)
    ]
    if rest:
        lines.append(_rest(rest, signs))
    lines.append(Text(f"  {clean_line(shorten(status, 400))}", "dim"))
    for line in lines:
        line.truncate(room, overflow="ellipsis" if signs.cut == "…" else "crop")
    return lines


def _overall(board: Board, signs: Signs, room: int, now: float, started: float) -> Text:
    narrow, percent, left = room < NARROW, board.percent, board.left(now)
    of = "/" if narrow else " of "
    line = Text(f"{board.done}{of}{len(board.tasks)} done  ", "bold")
    about = "" if narrow else "about "
    estimate = "" if left is None else f"  {about}{minutes(left)} left"
    elapsed = f"  {minutes(now - started)}"
    times = (estimate or elapsed) if narrow else elapsed + estimate
    tail = f" {percent:3.0f} %{times}"
    # As wide without an estimate as with one, so that the bar does not jump.
    reserved = len(line) + max(len(tail), 19 if narrow else 32)
    line.append_text(_bar(percent, min(40, max(4, room - reserved)), signs, "cyan"))
    line.append(tail)
    return line


def _widths(board: Board, wanted: int, signs: Signs, room: int) -> tuple[int, int]:
    """Return the columns of the names and of the bars, the same for all rows.

    Names get what the longest one needs, as far as the rest of a row leaves room.
    """
    narrow = room < NARROW
    after = AFTER_NARROW if narrow else AFTER if room < WIDE else AFTER_WIDE
    left = room - after - len(signs.good) - (2 if narrow else 3)
    least = max((cells(task.short_id) for task in board.tasks.values()), default=0)
    name = max(least, min(wanted, left - SHORT_BAR))
    longest = SHORT_BAR if narrow else LONG_BAR
    return name, max(SHORT_BAR, min(longest, left - name))


def _task(task: TaskState, name: str, bar: int, signs: Signs, room: int, now: float) -> Text:
    word, style = _LOOKS[task.status]
    mark = signs.mark(task.status)
    wide, narrow = room >= WIDE, room < NARROW
    line = Text()
    line.append(f"{mark:<{len(signs.good)}} ", f"bold {style}")
    line.append(name, style if not wide else "")
    line.append(" " if narrow else "  ")
    line.append_text(_bar(task.percent, bar, signs, style))
    line.append(f" {task.percent:3.0f} %{' ' if narrow else '  '}")
    if task.trouble:
        line.append(clean_line(shorten(task.trouble, 300)), style)
        return line
    if task.status is TaskStatus.UNSEEN:
        line.append(word, "dim")
        return line
    line.append_text(_items(task.items, signs, wide=wide))
    ends = f"  {word}" if task.status.finished and not narrow else ""
    line.append(ends, style)
    if not ends and not narrow and task.answered_at is not None:
        seconds = round(now - task.answered_at)
        age = f"{seconds} s ago" if seconds else "now"
        line.append(" " * max(2, min(room, AGE_AT) - line.cell_len - len(age)) + age, "dim")
    return line


def _items(items: Counter[Status], signs: Signs, *, wide: bool) -> Text:
    """Return the number of items by status, in words where there is room."""
    kinds = (
        (Status.PASSED, "passed", signs.good, "green"),
        (Status.ALARM, "alarm", "!", "yellow"),
        (Status.FAILED, "failed", signs.bad, "red"),
        (Status.UNKNOWN, "unknown", "?", "red"),
    )
    parts = [
        Text(f"{items[status]} {word}" if wide else f"{items[status]}{sign}", style)
        for status, word, sign, style in kinds
        if items[status]
    ]
    if not parts:
        return Text("no items yet", "dim")
    return Text(", " if wide else " ").join(parts)


def _rest(tasks: Sequence[TaskState], signs: Signs) -> Text:
    """Return one line for all tasks without a row of their own."""
    counted = Counter(task.status for task in tasks)
    line = Text(f"{signs.more} {len(tasks)} more: ", "bold")
    parts = [
        Text(f"{counted[status]} {word}", style)
        for status, (word, style) in _LOOKS.items()
        if counted[status]
    ]
    return line.append_text(Text(", ").join(parts))


def _bar(percent: float, width: int, signs: Signs, style: str) -> Text:
    # Full only at the end: a task at 99.6 % has not finished.
    full = width if percent >= 100 else min(width - 1, int(percent / 100 * width))
    return Text.assemble((signs.full * full, style), (signs.empty * (width - full), "dim"))
