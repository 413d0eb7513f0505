"""What changed between two reports, and whether the later one is worse. Pure.

Worse is, and nothing else: a verdict (of the run or of a task) that became more severe; a finding
that blocks and did not, be it new or changed; a task of the old report that the new one no longer
has, since nobody knows how it stands (unless the caller ignores tasks that are gone).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from precheck_gate.model.verdicts import Finding, TaskVerdict, Verdict
    from precheck_gate.reports.json_report import Report

# What may change of a finding that stays the same one, by the names that people read.
_ASPECTS: dict[str, Callable[[Finding], str]] = {
    "effect": lambda finding: finding.effect.value,
    "status": lambda finding: finding.status,
    "reason": lambda finding: finding.failed_reason,
    "waived": lambda finding: finding.waived_by,
    "waived until": lambda finding: finding.waived_until,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that appeared (no ``old``), went (no ``new``) or changed (both)."""

    old: Finding | None
    new: Finding | None

    @property
    def finding(self) -> Finding:
        """The finding as it is now, or as it was where it went."""
        return cast("Finding", self.new or self.old)

    @property
    def aspects(self) -> dict[str, tuple[str, str]]:
        """What changed, by its name: before and after; nothing unless both are there."""
        if self.old is None or self.new is None:
            return {}
        pairs = {name: (of(self.old), of(self.new)) for name, of in _ASPECTS.items()}
        return {name: (old, new) for name, (old, new) in pairs.items() if old != new}

    @property
    def kind(self) -> str:
        """What became of it: ``appeared``, ``gone`` or ``changed``."""
        if self.old is None:
            return "appeared"
        return "gone" if self.new is None else "changed"

    @property
    def blocks_newly(self) -> bool:
        """Whether it blocks, and did not."""
        blocked = self.old is not None and not self.old.verdict.green
        return self.new is not None and not self.new.verdict.green and not blocked


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """One task in both reports; a verdict is None where the report does not have the task.

    ``task`` is "" for what concerns the run itself, whose verdicts are those of the runs.
    """

    task: str
    old: Verdict | None
    new: Verdict | None
    changes: tuple[Change, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to show."""
        return self.old is self.new and not self.changes

    def of(self, kind: str) -> list[Change]:
        """Return the changes of one kind."""
        return [change for change in self.changes if change.kind == kind]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports, what changed between them, and why the later one is worse, if it is.

    Attributes:
        old: the old report.
        new: the new one.
        run: what concerns the run itself.
        tasks: the tasks that changed, in the order of the new report; those that are gone last.
        same: how many tasks did not change.
        worse: why the new report is worse; empty where it is not.
    """

    old: Report
    new: Report
    run: TaskComparison
    tasks: tuple[TaskComparison, ...]
    same: int
    worse: tuple[str, ...] = field(default=())


def compare_reports(old: Report, new: Report, *, ignore_gone: bool = False) -> Comparison:
    """Compare an earlier report with a later one.

    With ``ignore_gone``, a task that is gone is no reason to call the new one worse.
    """
    changes = tuple(_changes("", old.run.findings, new.run.findings))
    run = TaskComparison("", old.run.verdict, new.run.verdict, changes)
    before = {task.task_id: task for task in old.tasks}
    after = {task.task_id: task for task in new.tasks}
    tasks = [_task(name, before.get(name), after.get(name)) for name in {**after, **before}]
    return Comparison(
        old=old,
        new=new,
        run=run,
        tasks=tuple(task for task in tasks if not task.unchanged),
        same=sum(task.unchanged for task in tasks),
        worse=tuple(
            reason for one in (run, *tasks) for reason in _worse(one, ignore_gone=ignore_gone)
        ),
    )


def _task(name: str, old: TaskVerdict | None, new: TaskVerdict | None) -> TaskComparison:
    return TaskComparison(
        name,
        old.verdict if old else None,
        new.verdict if new else None,
        tuple(_changes(name, old.findings if old else (), new.findings if new else ())),
    )


def _changes(task: str, old: Iterable[Finding], new: Iterable[Finding]) -> Iterator[Change]:
    """Yield what changed among the findings of one task.

    First those of the same identity are put together, then, of the rest, those about the same item
    and sub-task: their status or reason changed. Items that pass on both sides, or on one and are
    absent on the other, are left out.
    """
    open_old, open_new = list(old), list(new)
    pairs: dict[int, Finding] = {}
    # The first four parts of an identity stay when status and reason change.
    for length in (6, 4):
        waiting: dict[tuple[str, ...], list[Finding]] = {}
        for finding in open_old:
            waiting.setdefault(finding.identity(task)[:length], []).append(finding)
        for index, finding in enumerate(open_new):
            like = waiting.get(finding.identity(task)[:length])
            if index not in pairs and like:
                pairs[index] = like.pop(0)
        open_old = [finding for left in waiting.values() for finding in left]
    for index, finding in enumerate(open_new):
        change = Change(pairs.get(index), finding)
        if change.aspects or (change.old is None and _speaks(finding)):
            yield change
    for finding in open_old:
        if _speaks(finding):
            yield Change(finding, None)


def _speaks(finding: Finding) -> bool:
    """Return whether a finding says anything: not of an item that is simply PASSED."""
    return finding.verdict.value != "passed" or finding.status not in ("", "PASSED")


def _worse(task: TaskComparison, *, ignore_gone: bool) -> Iterator[str]:
    who = f"task {task.task}" if task.task else "the run"
    if task.new is None:
        if not ignore_gone:
            yield f"{who} is gone"
        return
    if task.old is not None and task.new.severity > task.old.severity:
        yield f"{who} is {task.new.value}, it was {task.old.value}"
    elif task.old is None and not task.new.green:
        yield f"{who} is new and {task.new.value}"
    for change in task.changes:
        if change.blocks_newly:
            yield f"{who}: {change.finding.title} blocks, and did not"
