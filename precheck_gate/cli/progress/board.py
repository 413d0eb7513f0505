"""The state of the live table: each task, its name, and the time it may still take. Pure.

A name is cut in the middle, and no two tasks look the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Verdict
from precheck_gate.runtime.console import cells
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from precheck_gate.model.snapshots import Snapshot
    from precheck_gate.polling.events import TaskChanged


class TaskStatus(Enum):
    """How a task looks at a glance."""

    UNSEEN = "unseen"
    RUNNING = "running"
    TROUBLED = "troubled"
    PASSED = "passed"
    WARNED = "warned"
    BLOCKED = "blocked"

    @property
    def finished(self) -> bool:
        """Whether the pre-check has finished."""
        return self in (TaskStatus.PASSED, TaskStatus.WARNED, TaskStatus.BLOCKED)


_BY_VERDICT = {Verdict.PASSED: TaskStatus.PASSED, Verdict.PASSED_WITH_WARNINGS: TaskStatus.WARNED}


@dataclass(slots=True)
class TaskState:
    """One task; times are of the monotonic clock.

    Attributes:
        short_id: the shortest form of its ID that is unique in the run.
        title: its name; "" if unknown.
        trouble: why there is no answer that counts; "" if there is one.
        answered_at: the time of the last answer; None before the first.
    """

    task_id: str
    short_id: str
    title: str = ""
    percent: float = 0.0
    status: TaskStatus = TaskStatus.UNSEEN
    items: Counter[Status] = field(default_factory=Counter)
    trouble: str = ""
    answered_at: float | None = None
    _first: tuple[float, float] | None = None

    def see(self, snapshot: Snapshot, status: TaskStatus, now: float) -> None:
        """Update the state from an answer of the service."""
        percent = float(snapshot.progress) if snapshot.progress is not None else self.percent
        if self._first is None or percent < self.percent:
            self._first = (now, percent)
        self.percent, self.answered_at = percent, now
        self.status, self.trouble = status, ""
        self.items = Counter(item.status for item in snapshot.items)

    @property
    def alarming(self) -> bool:
        """Whether it needs attention before others."""
        bad = self.status in (TaskStatus.BLOCKED, TaskStatus.TROUBLED)
        return bad or self.items[Status.FAILED] > 0 or self.items[Status.UNKNOWN] > 0

    def left(self, now: float) -> float | None:
        """Return the estimated seconds to the end; None without progress to estimate from."""
        if self._first is None or self.answered_at is None:
            return None
        since, first = self._first
        gained, took = self.percent - first, self.answered_at - since
        if gained <= 0 or took <= 0:
            return None
        return max(0.0, (100.0 - self.percent) * took / gained - (now - self.answered_at))


class Board:
    """All tasks of a run, in the order of the request."""

    def __init__(self, task_ids: Sequence[str], judge: Callable[[Snapshot], Verdict]) -> None:
        self.tasks = {
            task_id: TaskState(task_id, short)
            for task_id, short in zip(task_ids, _short_ids(task_ids), strict=True)
        }
        self._judge = judge

    def call(self, task_id: str, title: str) -> None:
        """Set the name of a task."""
        if (task := self.tasks.get(task_id)) is not None:
            task.title = title

    def answered(self, task_ids: Sequence[str], now: float) -> None:
        """Note that the service answered for tasks, even without a change."""
        for task_id in task_ids:
            if (task := self.tasks.get(task_id)) is not None and task.answered_at is not None:
                task.answered_at = now

    def change(self, event: TaskChanged, now: float) -> None:
        """Update the state of one task."""
        task = self.tasks.get(event.task_id)
        if task is None:
            return
        if (snapshot := event.snapshot) is not None:
            status = TaskStatus.RUNNING
            if snapshot.complete:
                status = _BY_VERDICT.get(self._judge(snapshot), TaskStatus.BLOCKED)
            task.see(snapshot, status, now)
        if event.trouble is not None:
            code = f" ({event.trouble.code})" if event.trouble.code else ""
            task.status, task.trouble = TaskStatus.TROUBLED, f"{event.trouble.message}{code}"

    @property
    def done(self) -> int:
        """How many pre-checks have finished."""
        return sum(task.status.finished for task in self.tasks.values())

    @property
    def percent(self) -> float:
        """The progress of all tasks together."""
        return sum(task.percent for task in self.tasks.values()) / max(1, len(self.tasks))

    def left(self, now: float) -> float | None:
        """Return the estimated seconds to the end of the slowest task; None if one is unknown."""
        open_tasks = [task for task in self.tasks.values() if not task.status.finished]
        times = [task.left(now) for task in open_tasks]
        known = [time for time in times if time is not None]
        return max(known, default=0.0) if len(known) == len(times) else None

    def select(self, rows: int) -> tuple[list[TaskState], list[TaskState]]:
        """Return the tasks that get a row each, and the others.

        If there is no room for all: tasks that need attention in up to half of the rows, then
        running tasks, then the rest.
        """
        tasks = list(self.tasks.values())
        if len(tasks) <= rows:
            return tasks, []
        alarming = [task for task in tasks if task.alarming][: max(1, rows // 2)]
        ahead = {task.task_id for task in alarming}
        others = [task for task in tasks if task.task_id not in ahead]
        others.sort(key=lambda task: (task.status.finished, task.status is TaskStatus.UNSEEN))
        chosen = ahead | {task.task_id for task in others[: max(0, rows - len(alarming))]}
        return (
            [task for task in tasks if task.task_id in chosen],
            [task for task in tasks if task.task_id not in chosen],
        )


def _short_ids(task_ids: Sequence[str]) -> list[str]:
    for shorten_id in (lambda one: one[:8], lambda one: f"{one[:6]}~{one[-6:]}"):
        names = [shorten_id(task_id) if len(task_id) > 13 else task_id for task_id in task_ids]
        if len(set(names)) == len(names):
            return names
    return list(task_ids)


def whole_names(tasks: Iterable[TaskState], *, whole_ids: bool) -> dict[str, str]:
    """Return the name of each task by its ID: its title, or its ID without one.

    Tasks with the same title get their short ID behind it.
    """
    tasks = list(tasks)
    titles = Counter(task.title for task in tasks)
    names = {}
    for task in tasks:
        short, title = clean_line(task.short_id), clean_line(task.title)
        if titles[task.title] > 1 and title:
            title = f"{title} {short}"
        names[task.task_id] = title or (clean_line(task.task_id) if whole_ids else short)
    return names


def fitted(
    tasks: Sequence[TaskState], names: Mapping[str, str], width: int, sign: str
) -> list[str]:
    """Return the names of tasks in exactly ``width`` columns each, cuts marked by ``sign``."""
    cut = _cut([names[task.task_id] for task in tasks], width, sign)
    # Names that still look the same give way to the short ID, which is unique.
    seen = Counter(cut)
    shown = (
        _start(task.short_id if seen[name] > 1 else name, width)
        for task, name in zip(tasks, cut, strict=True)
    )
    return [name + " " * (width - cells(name)) for name in shown]


def _cut(names: Sequence[str], width: int, sign: str) -> list[str]:
    """Cut the longest names at the place that keeps the most of them different."""
    room = width - cells(sign)
    if room < 2 or all(cells(name) <= width for name in names):
        return list(names)
    # The middle first, then places ever further from it.
    heads = sorted(range(1, room), key=lambda head: abs(2 * head - room))
    best: list[str] = []
    for head in heads:
        tried = [
            name
            if cells(name) <= width
            else _start(name, head) + sign + _start(name[::-1], room - head)[::-1]
            for name in names
        ]
        if len(set(tried)) > len(set(best)):
            best = tried
        if len(set(best)) == len(set(names)):
            break
    return best


def _start(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    while cells(text) > width:
        text = text[:-1]
    return text
