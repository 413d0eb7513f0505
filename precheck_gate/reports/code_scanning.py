"""What code-scanning reports show: findings that are no plain pass, slim, the worst first."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import FindingKind, Verdict
from precheck_gate.safetext.cleaning import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precheck_gate.model.verdicts import Finding, RunVerdict, TaskVerdict

__all__ = ["Point", "Points", "Rank", "fingerprint"]

MAX_NAME = 200
MAX_MESSAGE = 1_000
MAX_NOTE = 400


class Rank(Enum):
    """How bad a point is, the worst first; the value says it in words."""

    ERROR = "could not be known"
    INCOMPLETE = "incomplete"
    BLOCKED = "blocking"
    WARNING = "warning"
    WAIVED = "waived"

    @property
    def blocks(self) -> bool:
        """Whether the migration must not start."""
        return self not in (Rank.WARNING, Rank.WAIVED)


_RANKS = {
    Verdict.ERROR: Rank.ERROR,
    Verdict.INCOMPLETE: Rank.INCOMPLETE,
    Verdict.BLOCKED: Rank.BLOCKED,
    Verdict.PASSED_WITH_WARNINGS: Rank.WARNING,
}


@dataclass(frozen=True, slots=True)
class Point:
    """One finding, as much of it as code scanning shows; every text is bounded.

    Attributes:
        rank: how bad it is.
        task_id: its task; "" for one about the run.
        check: the item, or ``precheck-gate/`` and the task's or run's own matter.
        item: the item; "" for a matter that is none.
        group: the item's group.
        message: what was found, without the task.
        reason: the reason that the policy's author gave.
        next_step: what to do.
        decided_by: as the finding has it.
        waiver: its ID, last day and reason; "" for none.
        known: whether the baseline had it.
        fingerprint: the same in every run for the same matter.
        number: 1, or which one it is of several with the same fingerprint.
    """

    rank: Rank
    task_id: str
    check: str
    item: str
    group: str
    message: str
    reason: str
    next_step: str
    decided_by: str
    waiver: str
    known: bool
    fingerprint: str
    number: int

    @property
    def text(self) -> str:
        """The finding in whole sentences: task, item, reason, next step."""
        task = f"Task {self.task_id}: " if self.task_id else ""
        known = " The baseline had it already." if self.known else ""
        waived = f" Waived by {_sentence(self.waiver)}" if self.waiver else ""
        reason = f" Reason in the policy: {_sentence(self.reason)}" if self.reason else ""
        step = f" Next: {_sentence(self.next_step)}" if self.next_step else ""
        return f"{task}{_sentence(self.message)}{reason}{waived}{known}{step}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def fingerprint(task_id: str, finding: Finding) -> str:
    """Return what makes a finding the same as one of another run: not its status, place or order.

    Matters of the gate itself are told apart by the rule, which is a constant text.
    """
    rule = finding.decided_by if finding.decided_by.startswith("gate: ") else ""
    identity = (
        finding.kind.value,
        task_id,
        finding.title,
        finding.sub_task,
        finding.failed_reason,
        finding.code,
        rule,
    )
    text = json.dumps(identity, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


class Points:
    """Keeps the worst points of a run up to a bound, and counts the rest.

    Args:
        limit: how many to keep.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[Rank, list[Point]] = {rank: [] for rank in Rank}
        self._size = 0
        self.counts: Counter[Rank] = Counter()
        """How many there are of each rank, kept or not."""

    def add_task(self, task: TaskVerdict) -> None:
        """Take the findings of one task."""
        self._take(task.task_id, task.findings)

    def add_run(self, run: RunVerdict) -> None:
        """Take the findings about the run itself."""
        self._take("", run.findings)

    def __iter__(self) -> Iterator[Point]:
        """Yield what was kept, the worst first, those alike in the order they came."""
        for points in self._kept.values():
            yield from points

    def _take(self, task_id: str, findings: Iterable[Finding]) -> None:
        numbers: Counter[str] = Counter()
        for finding in findings:
            if finding.verdict is Verdict.PASSED:
                continue
            rank = Rank.WAIVED if finding.waived_by else _RANKS[finding.verdict]
            self.counts[rank] += 1
            mark = fingerprint(task_id, finding)
            numbers[mark] += 1
            if self._make_room(rank):
                self._kept[rank].append(_point(task_id, finding, rank, mark, numbers[mark]))
                self._size += 1

    def _make_room(self, rank: Rank) -> bool:
        """Return whether there is room for one more of a rank, the last of a lesser one going."""
        if self._size < self._limit:
            return True
        ranks = list(Rank)
        for lesser in reversed(ranks[ranks.index(rank) + 1 :]):
            if self._kept[lesser]:
                self._kept[lesser].pop()
                self._size -= 1
                return True
        return False


def _point(task_id: str, finding: Finding, rank: Rank, mark: str, number: int) -> Point:
    own = finding.kind in (FindingKind.TASK, FindingKind.RUN)
    title = shorten(finding.title, MAX_NAME) or "(unnamed)"
    waiver = ""
    if finding.waived_by:
        why = f"{finding.waived_by} until {finding.waived_until}: {finding.waiver_reason}"
        waiver = shorten(why, MAX_NOTE)
    return Point(
        rank=rank,
        task_id=shorten(task_id, MAX_NAME),
        check=f"precheck-gate/{title}" if own else title,
        item="" if own else finding.title,
        group=shorten(finding.group, MAX_NAME),
        message=shorten(finding.message, MAX_MESSAGE),
        reason=shorten(finding.reason, MAX_NOTE),
        next_step=shorten(finding.next_step, MAX_NOTE),
        decided_by=finding.decided_by,
        waiver=waiver,
        known=finding.known,
        fingerprint=mark,
        number=number,
    )
