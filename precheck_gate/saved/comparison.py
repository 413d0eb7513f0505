"""What changed between two reports, and whether the later one is worse. Pure.

Worse is, and nothing else: a verdict (of the run or of a task) that became more severe; a finding
that blocks and did not, be it new or changed; a task of the old report that the new one no longer
has, since nobody knows how it stands (`Comparison.worse` leaves that out where it is told to).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from precheck_gate.model.verdicts import Verdict, effect_of
from precheck_gate.safetext.cleaning import clean_line
from precheck_gate.saved.baseline import finding_identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Change", "Comparison", "TaskComparison", "compare_reports"]

_Report = dict[str, Any]
_Finding = dict[str, Any]

# What may change of a finding that stays the same one, by the names that people are told.
_ASPECTS = {
    "effect": "effect",
    "status": "status",
    "failed_reason": "reason",
    "waived_by": "waived",
    "waived_until": "waived until",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that appeared (no ``old``), went (no ``new``) or changed (both).

    The findings are as reported, their texts made harmless once more: a report is a file, and
    anybody may have written it.
    """

    old: _Finding | None
    new: _Finding | None

    @property
    def finding(self) -> _Finding:
        """The finding as it is now, or as it was where it went."""
        finding = self.new if self.new is not None else self.old
        return finding or {}

    @property
    def aspects(self) -> dict[str, tuple[str, str]]:
        """What changed, by its name: before and after; nothing unless both are there."""
        if self.old is None or self.new is None:
            return {}
        return {
            name: (self.old.get(key, ""), self.new.get(key, ""))
            for key, name in _ASPECTS.items()
            if self.old.get(key, "") != self.new.get(key, "")
        }

    @property
    def kind(self) -> str:
        """What became of it: ``appeared``, ``gone`` or ``changed``."""
        if self.old is None:
            return "appeared"
        return "gone" if self.new is None else "changed"

    @property
    def blocks_newly(self) -> bool:
        """Whether it blocks, and did not."""
        return _blocks(self.new) and not _blocks(self.old)


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
    def appeared(self) -> bool:
        """Whether only the new report has the task."""
        return self.old is None

    @property
    def gone(self) -> bool:
        """Whether only the old report has the task."""
        return self.new is None

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to tell."""
        return self.old is self.new and not self.changes

    def of(self, kind: str) -> list[Change]:
        """Return the changes of one kind."""
        return [change for change in self.changes if change.kind == kind]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports, what changed between them, and why the later one is worse, if it is.

    Attributes:
        old: the head of the old report: ``verdict``, ``judged_on``, ``policy``.
        new: that of the new one.
        run: what concerns the run itself.
        tasks: the tasks that changed, in the order of the new report; those that are gone last.
        same: how many tasks did not change.
        worse: why the new report is worse; empty where it is not.
    """

    old: dict[str, str]
    new: dict[str, str]
    run: TaskComparison
    tasks: tuple[TaskComparison, ...]
    same: int
    worse: tuple[str, ...] = field(default=())


def compare_reports(old: _Report, new: _Report, *, ignore_gone: bool = False) -> Comparison:
    """Compare two reports that `precheck_gate.saved.baseline.read_report` returned.

    Args:
        old: the earlier one.
        new: the later one.
        ignore_gone: whether a task that is gone is no reason to call the new one worse.
    """
    run = TaskComparison(
        "",
        Verdict(old["verdict"]),
        Verdict(new["verdict"]),
        tuple(_changes("", old.get("findings", []), new.get("findings", []))),
    )
    before = {clean_line(task["task"]): task for task in old["tasks"]}
    after = {clean_line(task["task"]): task for task in new["tasks"]}
    tasks = [_task(name, before.get(name), after.get(name)) for name in {**after, **before}]
    return Comparison(
        old=_head(old),
        new=_head(new),
        run=run,
        tasks=tuple(task for task in tasks if not task.unchanged),
        same=sum(task.unchanged for task in tasks),
        worse=tuple(
            reason for one in (run, *tasks) for reason in _worse(one, ignore_gone=ignore_gone)
        ),
    )


def _head(report: _Report) -> dict[str, str]:
    policy = report.get("policy")
    name = policy.get("name", "") if isinstance(policy, dict) else ""
    return {
        "verdict": report["verdict"],
        "judged_on": clean_line(str(report.get("judged_on", ""))),
        "policy": clean_line(str(name)),
    }


def _task(name: str, old: _Report | None, new: _Report | None) -> TaskComparison:
    return TaskComparison(
        name,
        Verdict(old["verdict"]) if old is not None else None,
        Verdict(new["verdict"]) if new is not None else None,
        tuple(
            _changes(
                name,
                old["findings"] if old is not None else [],
                new["findings"] if new is not None else [],
            )
        ),
    )


def _changes(
    task: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    """Yield what changed among the findings of one task.

    First those that are the same by `finding_identity` are put together, then, of the rest, those
    about the same item and sub-task: their status or reason changed. Items that pass on both sides,
    or on one and are absent on the other, are not worth a word.
    """
    open_old = [_cleaned(finding) for finding in old]
    open_new = [_cleaned(finding) for finding in new]
    pairs: dict[int, _Finding] = {}
    # (task, kind, title, sub_task) is what stays when status and reason change.
    for length in (6, 4):
        waiting: dict[tuple[str, ...], list[_Finding]] = {}
        for finding in open_old:
            waiting.setdefault(finding_identity(task, finding)[:length], []).append(finding)
        for index, finding in enumerate(open_new):
            like = waiting.get(finding_identity(task, finding)[:length])
            if index not in pairs and like:
                pairs[index] = like.pop(0)
        open_old = [finding for left in waiting.values() for finding in left]
    for index, finding in enumerate(open_new):
        change = Change(pairs.get(index), finding)
        if _is_worth_telling(change):
            yield change
    for finding in open_old:
        if _speaks(finding):
            yield Change(finding, None)


def _cleaned(finding: Mapping[str, Any]) -> _Finding:
    """Return a finding's texts made harmless, and its effect as its verdict has it."""
    texts = {key: clean_line(text) for key, text in finding.items() if isinstance(text, str)}
    return texts | {"effect": effect_of(Verdict(finding["verdict"])).value}


def _is_worth_telling(change: Change) -> bool:
    if change.old is None:
        return _speaks(change.finding)
    return bool(change.aspects)


def _speaks(finding: _Finding) -> bool:
    """Return whether a finding says anything: not of an item that is simply PASSED."""
    return finding["verdict"] != Verdict.PASSED.value or finding.get("status", "") not in (
        "",
        "PASSED",
    )


def _blocks(finding: _Finding | None) -> bool:
    return finding is not None and not Verdict(finding["verdict"]).green


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
            yield f"{who}: {change.finding['title']} blocks, and did not"
