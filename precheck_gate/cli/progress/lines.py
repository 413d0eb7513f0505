"""The live table as lines of rich, cut to the width of the terminal.

What the service sent is put into `Text` objects, where nothing is ever read as markup.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from precheck_gate.cli.progress.board import Standing
from precheck_gate.cli.progress.names import fitted, whole_names
from precheck_gate.cli.progress.plain import minutes
from precheck_gate.model.snapshots import Status
from precheck_gate.runtime.console import cells
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.cli.progress.board import Board, TaskState

__all__ = ["Signs", "draw"]

NARROW = 60
WIDE = 110
AGE_AT = 116  # beyond this it would stand too far from its line
SHORT_BAR, LONG_BAR = 6, 16
# What stands behind the bar: the percentage, the items, and the verdict or the age.
AFTER_NARROW, AFTER, AFTER_WIDE = 18, 29, 51


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters that a terminal can show."""

    full: str
    empty: str
    running: str
    unseen: str
    good: str
    warning: str
    bad: str
    unknown: str = "?"

    @classmethod
    def for_terminal(cls, *, ascii_only: bool) -> Signs:
        """Return signs for a terminal of Unicode, or of ASCII alone."""
        if ascii_only:
            return cls("#", "-", ">", ".", "ok", "!", "X")
        return cls("━", "╌", "▸", "·", "✓", "!", "✗")


_STYLES = {
    Standing.UNSEEN: "dim",
    Standing.RUNNING: "cyan",
    Standing.TROUBLED: "yellow",
    Standing.PASSED: "green",
    Standing.WARNED: "yellow",
    Standing.BLOCKED: "red",
}
# What a person should know first stands first: a narrow terminal cuts the end.
_WORDS = {
    Standing.BLOCKED: "blocked",
    Standing.TROUBLED: "in trouble",
    Standing.WARNED: "with warnings",
    Standing.PASSED: "passed",
    Standing.RUNNING: "running",
    Standing.UNSEEN: "not seen yet",
}


def draw(
    board: Board, signs: Signs, size: tuple[int, int], times: tuple[float, float], status: str
) -> list[Text]:
    """Return the lines of the table.

    Args:
        board: what is known.
        signs: what the terminal can show.
        size: columns and lines of the terminal.
        times: now, and when the run began, on the monotonic clock.
        status: what the gate waits for, in words.
    """
    columns, rows = size
    # The last column stays free: a terminal wraps when it is written to.
    room = max(10, columns - 1)
    now, started = times
    shown, rest = board.select(max(1, rows - 4))
    lines = [_overall(board, signs, room, now, started)]
    names = whole_names(board.tasks.values(), whole_ids=room >= WIDE)
    name_columns, bar = _columns(board, max(map(cells, names.values()), default=0), signs, room)
    fitting = fitted(shown, names, name_columns, "~" if signs.full == "#" else "…")
    lines += [
        _task(task, name, bar, signs, room, now) for task, name in zip(shown, fitting, strict=True)
    ]
    if rest:
        lines.append(_rest(rest, signs))
    lines.append(Text(f"  {clean_line(shorten(status, 400))}", "dim"))
    for line in lines:
        line.truncate(room, overflow="crop" if signs.full == "#" else "ellipsis")
    return lines


def _overall(board: Board, signs: Signs, room: int, now: float, started: float) -> Text:
    total, percent = len(board.tasks), board.percent
    left = board.left(now)
    done = f"{board.done}/{total}" if room < NARROW else f"{board.done} of {total}"
    line = Text(f"{done} done  ", "bold")
    if left is None:
        estimate = ""
    elif room < NARROW:
        estimate = f"  {minutes(left)} to go"
    else:
        estimate = f"  about {minutes(left)} to go"
    tail = f" {percent:3.0f} %  {minutes(now - started)}{estimate}"
    if room < NARROW:
        tail = f" {percent:3.0f} %{estimate or f'  {minutes(now - started)}'}"
    # As wide while there is no estimate, so that the bar does not jump when one comes.
    reserved = len(line) + max(len(tail), 32 if room >= NARROW else 19)
    line.append_text(_bar(percent, min(40, max(4, room - reserved)), signs, "cyan"))
    line.append(tail)
    return line


def _columns(board: Board, wanted: int, signs: Signs, room: int) -> tuple[int, int]:
    """Return the columns of the names and of the bars, the same for all rows.

    Names get what the longest one needs, as far as the rest of a row leaves it over.
    """
    narrow = room < NARROW
    after = AFTER_NARROW if narrow else AFTER if room < WIDE else AFTER_WIDE
    left = room - after - len(signs.good) - (2 if narrow else 3)
    least = max((cells(task.name) for task in board.tasks.values()), default=0)
    name = max(least, min(wanted, left - SHORT_BAR))
    longest = SHORT_BAR if narrow else LONG_BAR
    return name, max(SHORT_BAR, min(longest, left - name))


def _task(task: TaskState, name: str, bar: int, signs: Signs, room: int, now: float) -> Text:
    style = _STYLES[task.standing]
    mark = {
        Standing.UNSEEN: signs.unseen,
        Standing.RUNNING: signs.running,
        Standing.TROUBLED: "!",
        Standing.PASSED: signs.good,
        Standing.WARNED: signs.warning,
        Standing.BLOCKED: signs.bad,
    }[task.standing]
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
    if task.standing is Standing.UNSEEN:
        line.append("not seen yet", "dim")
        return line
    line.append_text(_items(task.items, signs, wide=wide))
    ends = f"  {_WORDS[task.standing]}" if task.standing.finished and not narrow else ""
    line.append(ends, style)
    if not ends and not narrow and task.answered_at is not None:
        seconds = round(now - task.answered_at)
        age = f"{seconds} s ago" if seconds else "now"
        line.append(" " * max(2, min(room, AGE_AT) - line.cell_len - len(age)) + age, "dim")
    return line


def _items(items: Counter[Status], signs: Signs, *, wide: bool) -> Text:
    """Return how many items were seen by status, in words where there is room."""
    kinds = (
        (Status.PASSED, "passed", signs.good, "green"),
        (Status.ALARM, "alarm", signs.warning, "yellow"),
        (Status.FAILED, "failed", signs.bad, "red"),
        (Status.UNKNOWN, "unknown", signs.unknown, "red"),
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
    """Return the line that stands for all tasks without a row of their own."""
    counted = Counter(task.standing for task in tasks)
    line = Text(f"{'+' if signs.full == '#' else '…'} {len(tasks)} more: ", "bold")
    parts = [
        Text(f"{counted[standing]} {word}", _STYLES[standing])
        for standing, word in _WORDS.items()
        if counted[standing]
    ]
    return line.append_text(Text(", ").join(parts))


def _bar(percent: float, width: int, signs: Signs, style: str) -> Text:
    # Full only at the end: a task at 99.6 % has not ended.
    full = width if percent >= 100 else min(width - 1, int(percent / 100 * width))
    return Text.assemble((signs.full * full, style), (signs.empty * (width - full), "dim"))
