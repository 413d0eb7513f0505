"""What SARIF and code quality reports share: the worst findings of a run, in a bounded file."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TextIO

from precheck_gate.model.verdicts import FindingKind, Verdict
from precheck_gate.runtime.policy_locations import Locator
from precheck_gate.safetext.cleaning import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precheck_gate.model.verdicts import Finding, RunFacts, RunVerdict, TaskVerdict

MAX_NAME = 200
MAX_MESSAGE = 1_000
MAX_NOTE = 400

dump = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


class Rank(Enum):
    """How bad a finding is, the worst first; the value is the word for it."""

    ERROR = "in error"
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
class ScanFinding:
    """One finding as code scanning shows it; every text is bounded.

    Attributes:
        rank: how bad it is.
        task_id: its task; "" for one about the run.
        check: the item, or ``precheck-gate/`` and the matter of the task or run itself.
        item: the item; "" for a matter of the task or run itself.
        group: the item's group.
        message: what was found, without the task.
        reason: the policy author's reason.
        next_step: what to do.
        decided_by: as in the finding.
        waiver: its ID, last day and reason; "" for none.
        known: whether the baseline had it.
        fingerprint: the same in every run for the same finding.
        number: 1, or its number among those with the same fingerprint.
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
        known = " Already in the baseline." if self.known else ""
        waived = f" Waived by {sentence(self.waiver)}" if self.waiver else ""
        reason = f" Reason in the policy: {sentence(self.reason)}" if self.reason else ""
        step = f" Next: {sentence(self.next_step)}" if self.next_step else ""
        return f"{task}{sentence(self.message)}{reason}{waived}{known}{step}"


class ScanReporter(ABC):
    """Keeps the worst findings of a run until its end, and counts the others.

    Args:
        out: the stream.
        max_findings: how many findings to keep.
        max_bytes: the size limit of the file.
    """

    def __init__(self, out: TextIO, max_findings: int, max_bytes: int) -> None:
        self._out = out
        self._limit = max_findings
        self._max_bytes = max_bytes
        self._kept: dict[Rank, list[ScanFinding]] = {rank: [] for rank in Rank}
        self._size = 0
        self._counts: Counter[Rank] = Counter()
        """How many findings there are of each rank, kept or not."""

    def add_task(self, task: TaskVerdict) -> None:
        """Take the findings of one task."""
        self._take(task.task_id, task.findings)

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the whole report."""
        self._take("", run.findings)
        self._write(run, facts, Locator(facts.policy))

    @abstractmethod
    def _write(self, run: RunVerdict, facts: RunFacts, locator: Locator) -> None:
        """Write the report, with as many findings as there is room for."""

    def _worst_first(self) -> Iterator[ScanFinding]:
        for found in self._kept.values():
            yield from found

    def _take(self, task_id: str, findings: Iterable[Finding]) -> None:
        numbers: Counter[str] = Counter()
        for finding in findings:
            if finding.verdict is Verdict.PASSED:
                continue
            rank = Rank.WAIVED if finding.waived_by else _RANKS[finding.verdict]
            self._counts[rank] += 1
            mark = fingerprint(task_id, finding)
            numbers[mark] += 1
            if self._make_room(rank):
                self._kept[rank].append(_scan_finding(task_id, finding, rank, mark, numbers[mark]))
                self._size += 1

    def _make_room(self, rank: Rank) -> bool:
        """Return whether there is room for one of a rank; drop the last of a lesser one for it."""
        if self._size < self._limit:
            return True
        ranks = list(Rank)
        for lesser in reversed(ranks[ranks.index(rank) + 1 :]):
            if self._kept[lesser]:
                self._kept[lesser].pop()
                self._size -= 1
                return True
        return False


def _scan_finding(
    task_id: str, finding: Finding, rank: Rank, mark: str, number: int
) -> ScanFinding:
    own = finding.kind in (FindingKind.TASK, FindingKind.RUN)
    title = shorten(finding.title, MAX_NAME) or "(unnamed)"
    waiver = f"{finding.waived_by} until {finding.waived_until}: {finding.waiver_reason}"
    return ScanFinding(
        rank=rank,
        task_id=shorten(task_id, MAX_NAME),
        check=f"precheck-gate/{title}" if own else title,
        item="" if own else finding.title,
        group=shorten(finding.group, MAX_NAME),
        message=shorten(finding.message, MAX_MESSAGE),
        reason=shorten(finding.reason, MAX_NOTE),
        next_step=shorten(finding.next_step, MAX_NOTE),
        decided_by=finding.decided_by,
        waiver=shorten(waiver, MAX_NOTE) if finding.waived_by else "",
        known=finding.known,
        fingerprint=mark,
        number=number,
    )


def fingerprint(task_id: str, finding: Finding) -> str:
    """Return what identifies a finding across runs: not its status, place or order.

    Findings of the gate itself are told apart by the rule, which is a constant text.
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


def sentence(text: str) -> str:
    """Return ``text`` with a full stop, unless it ends as a sentence."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def cut_note(written: int, left_out: Counter[Rank], what: str) -> str:
    """Return what to say where findings were left out of ``what``."""
    total = written + sum(left_out.values())
    parts = ", ".join(f"{left_out[rank]} {rank.value}" for rank in Rank if left_out[rank])
    return (
        f"{written} of {total} findings are in this {what}, the worst first; left out: {parts}."
        " The JSON report has them all."
    )
