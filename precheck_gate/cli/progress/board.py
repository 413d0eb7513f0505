"""What is known of each task while the gate waits, and how long it may still take. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.model.snapshots import Snapshot
    from precheck_gate.polling.events import TaskChanged

__all__ = ["Board", "Standing", "TaskState", "short_names"]


class Standing(Enum):
    """How a task looks at a glance."""

    UNSEEN = "unseen"
    RUNNING = "running"
    TROUBLED = "troubled"
    PASSED = "passed"
    WARNED = "warned"
    BLOCKED = "blocked"

    @property
    def finished(self) -> bool:
        """Whether the pre-check has ended."""
        return self in (Standing.PASSED, Standing.WARNED, Standing.BLOCKED)


_BY_VERDICT = {Verdict.PASSED: Standing.PASSED, Verdict.PASSED_WITH_WARNINGS: Standing.WARNED}


@dataclass(slots=True)
class TaskState:
    """One task on the board; times are of the monotonic clock.

    Attributes:
        name: as it is shown where there is little room.
        task_id: the whole ID.
        title: what people call it; "" where that is not known.
        percent: its progress.
        standing: how it looks.
        items: how many items have been seen, by status.
        trouble: why there is no answer that counts; "" where there is.
        answered_at: when it was answered for; None for not yet.
    """

    name: str
    task_id: str
    title: str = ""
    percent: float = 0.0
    standing: Standing = Standing.UNSEEN
    items: Counter[Status] = field(default_factory=Counter)
    trouble: str = ""
    answered_at: float | None = None
    _first: tuple[float, float] | None = None

    def see(self, snapshot: Snapshot, standing: Standing, now: float) -> None:
        """Take what the service says of it."""
        percent = float(snapshot.progress) if snapshot.progress is not None else self.percent
        if self._first is None or percent < self.percent:
            self._first = (now, percent)
        self.percent, self.answered_at = percent, now
        self.standing, self.trouble = standing, ""
        self.items = Counter(item.status for item in snapshot.items)

    @property
    def alarming(self) -> bool:
        """Whether a person should look at it before any other."""
        bad = self.standing in (Standing.BLOCKED, Standing.TROUBLED)
        return bad or self.items[Status.FAILED] > 0 or self.items[Status.UNKNOWN] > 0

    def left(self, now: float) -> float | None:
        """Return the seconds that it takes to the end at its pace; None while there is none."""
        if self._first is None or self.answered_at is None:
            return None
        since, first = self._first
        gained, took = self.percent - first, self.answered_at - since
        if gained <= 0 or took <= 0:
            return None
        return max(0.0, (100.0 - self.percent) * took / gained - (now - self.answered_at))


class Board:
    """All tasks of a run, in the order in which they were asked for.

    Args:
        task_ids: the tasks.
        judge: what the policy says of a pre-check that has ended.
    """

    def __init__(self, task_ids: Sequence[str], judge: Callable[[Snapshot], Verdict]) -> None:
        names = short_names(task_ids)
        self.tasks = {
            task_id: TaskState(name, task_id) for task_id, name in zip(task_ids, names, strict=True)
        }
        self._judge = judge

    def call(self, task_id: str, title: str) -> None:
        """Take note of what people call a task."""
        if (task := self.tasks.get(task_id)) is not None:
            task.title = title

    def answered(self, task_ids: Sequence[str], now: float) -> None:
        """Take note that the service answered for tasks, with news or without."""
        for task_id in task_ids:
            if (task := self.tasks.get(task_id)) is not None and task.answered_at is not None:
                task.answered_at = now

    def change(self, event: TaskChanged, now: float) -> None:
        """Take the news of one task."""
        task = self.tasks.get(event.task_id)
        if task is None:
            return
        if event.snapshot is not None:
            task.see(event.snapshot, self._standing(event.snapshot), now)
        if event.trouble is not None:
            code = f" ({event.trouble.code})" if event.trouble.code else ""
            task.standing, task.trouble = Standing.TROUBLED, f"{event.trouble.message}{code}"

    def _standing(self, snapshot: Snapshot) -> Standing:
        if not snapshot.complete:
            return Standing.RUNNING
        return _BY_VERDICT.get(self._judge(snapshot), Standing.BLOCKED)

    @property
    def done(self) -> int:
        """How many pre-checks have ended."""
        return sum(task.standing.finished for task in self.tasks.values())

    @property
    def percent(self) -> float:
        """The progress of all tasks together."""
        return sum(task.percent for task in self.tasks.values()) / max(1, len(self.tasks))

    def left(self, now: float) -> float | None:
        """Return the seconds that the slowest task still takes; None while one has no pace."""
        open_tasks = [task for task in self.tasks.values() if not task.standing.finished]
        times = [task.left(now) for task in open_tasks]
        known = [time for time in times if time is not None]
        return max(known, default=0.0) if len(known) == len(times) else None

    def select(self, rows: int) -> tuple[list[TaskState], list[TaskState]]:
        """Return the tasks that deserve a row each, and the others.

        Where there is no room for all: those that alarm, in up to half of the rows, then those
        that run, then the rest.
        """
        tasks = list(self.tasks.values())
        if len(tasks) <= rows:
            return tasks, []
        alarming = [task for task in tasks if task.alarming][: max(1, rows // 2)]
        ahead = {task.task_id for task in alarming}
        others = [task for task in tasks if task.task_id not in ahead]
        others.sort(key=lambda task: (task.standing.finished, task.standing is Standing.UNSEEN))
        chosen = ahead | {task.task_id for task in others[: max(0, rows - len(alarming))]}
        return (
            [task for task in tasks if task.task_id in chosen],
            [task for task in tasks if task.task_id not in chosen],
        )


def short_names(task_ids: Sequence[str]) -> list[str]:
    """Return the shortest beginnings (and ends) of the IDs that still tell them apart."""
    for shorten_id in (lambda one: one[:8], lambda one: f"{one[:6]}~{one[-6:]}"):
        names = [shorten_id(task_id) if len(task_id) > 13 else task_id for task_id in task_ids]
        if len(set(names)) == len(names):
            return names
    return list(task_ids)
