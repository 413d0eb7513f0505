"""What SARIF and code quality reports share: the worst findings of a run, in a bounded file."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
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
    """One finding as code scanning shows it.

    Attributes:
        rank: how bad it is.
        task_id: its task; "" for one about the run.
        finding: the finding with bounded texts, without evidence.
        fingerprint: the same in every run for the same finding.
        number: 1, or its number among those with the same fingerprint.
    """

    rank: Rank
    task_id: str
    finding: Finding
    fingerprint: str
    number: int

    @property
    def of_an_item(self) -> bool:
        """Whether it is about an item, and not a matter of the task or the run itself."""
        return self.finding.kind not in (FindingKind.TASK, FindingKind.RUN)

    @property
    def check(self) -> str:
        """The item, or ``precheck-gate/`` and the matter of the task or the run itself."""
        title = self.finding.title or "(unnamed)"
        return title if self.of_an_item else f"precheck-gate/{title}"

    @property
    def waiver(self) -> str:
        """The waiver's ID, last day and reason; "" for none."""
        found = self.finding
        waiver = f"{found.waived_by} until {found.waived_until}: {found.waiver_reason}"
        return shorten(waiver, MAX_NOTE) if found.waived_by else ""

    @property
    def text(self) -> str:
        """The finding in whole sentences: task, item, reason, next step."""
        found = self.finding
        task = f"Task {self.task_id}: " if self.task_id else ""
        known = " Already in the baseline." if found.known else ""
        waived = f" Waived by {sentence(self.waiver)}" if self.waiver else ""
        reason = f" Reason in the policy: {sentence(found.reason)}" if found.reason else ""
        step = f" Next: {sentence(found.next_step)}" if found.next_step else ""
        return f"{task}{sentence(found.message)}{reason}{waived}{known}{step}"


class ScanReporter(ABC):
    """Keeps the worst ``max_findings`` of a run until its end, and counts the others."""

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
                name = shorten(task_id, MAX_NAME)
                found = ScanFinding(rank, name, _bounded(finding), mark, numbers[mark])
                self._kept[rank].append(found)
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


def _bounded(finding: Finding) -> Finding:
    return replace(
        finding,
        title=shorten(finding.title, MAX_NAME),
        group=shorten(finding.group, MAX_NAME),
        message=shorten(finding.message, MAX_MESSAGE),
        reason=shorten(finding.reason, MAX_NOTE),
        next_step=shorten(finding.next_step, MAX_NOTE),
        raw_error="",
        data="",
        trace=(),
    )


def fingerprint(task_id: str, finding: Finding) -> str:
    """Return what identifies a finding across runs: not its status, place or order.

    Findings of the gate itself are distinguished by the rule, which is a constant text.
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
