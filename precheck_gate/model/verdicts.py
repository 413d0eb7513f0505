"""Findings and verdicts: of an item, of a task, of the run, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable


class Effect(Enum):
    """What the policy makes of an item."""

    ALLOW = "allow"
    WARN = "warn"
    BLOCK = "block"

    # Members are compared by identity; hashing them so is ten times as fast.
    __hash__ = object.__hash__

    @property
    def strictness(self) -> int:
        """Rank among the effects, 0 for allow."""
        return _STRICTNESS[self]


_STRICTNESS = {effect: rank for rank, effect in enumerate(Effect)}


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How the verdict came about. Every text is safe for any sink.

    Dates and times are in UTC and ISO 8601. Texts are "" and numbers None where a run offline has
    none, so that equal input gives equal bytes. ``mode`` is the command; ``policy_digest`` is a
    SHA-256; ``bytes_sent`` and ``bytes_received`` count bodies; ``waited`` counts the seconds
    between requests.
    """

    mode: str
    judged_on: str
    exit_code: int
    policy: str = ""
    policy_digest: str = ""
    advisory: bool = False
    interrupted_by: str = ""
    started_at: str = ""
    seconds: float | None = None
    endpoint: str = ""
    project_id: str = ""
    requests: int | None = None
    retries: int | None = None
    bytes_sent: int | None = None
    bytes_received: int | None = None
    waited: float | None = None


class Verdict(Enum):
    """The verdict of a finding, a task or a run; the worst of the parts is that of the whole."""

    PASSED = "passed"
    PASSED_WITH_WARNINGS = "passed_with_warnings"
    BLOCKED = "blocked"
    INCOMPLETE = "incomplete"
    ERROR = "error"

    # Members are compared by identity; hashing them so is ten times as fast.
    __hash__ = object.__hash__

    @property
    def severity(self) -> int:
        """Rank among the verdicts, 0 for passed."""
        return _SEVERITIES[self]

    @property
    def green(self) -> bool:
        """Whether the migration may start."""
        return self in (Verdict.PASSED, Verdict.PASSED_WITH_WARNINGS)


_SEVERITIES = {verdict: rank for rank, verdict in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of ``verdicts``; at least one task must be judged but an error."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.ERROR)


def effect_of(verdict: Verdict) -> Effect:
    """Return what a finding of that verdict does to the gate."""
    match verdict:
        case Verdict.PASSED:
            return Effect.ALLOW
        case Verdict.PASSED_WITH_WARNINGS:
            return Effect.WARN
        case _:
            return Effect.BLOCK


class FindingKind(Enum):
    """What a finding is about."""

    ITEM = "item"
    SUB_TASK = "sub_task"
    REQUIRED = "required_item"
    TASK = "task"
    RUN = "run"

    # Members are compared by identity; hashing them so is ten times as fast.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the gate found, with the verdict that it forces and why.

    All texts are safe for any sink: what came from the service went through `clean`.

    Attributes:
        verdict: the least that it makes of the task, or of the run.
        title: the item's name, or a word for a matter of the task or run (``result``).
        message: one line that says what was found.
        status: the service's own word.
        raw_error: the service's raw error message; may have many lines.
        data: the item's evidence as sent.
        sub_task: the sub-task's name and ID for a finding about one.
        decided_by: ``file:line path`` of the policy, or the rule of the gate itself.
        reason: the reason that the policy's author gave.
        waived_by: the ID of the waiver that made a warning of a block.
        waived_until: the last day of that waiver, ISO 8601.
        waiver_reason: its reason and owner.
        known: whether the baseline report had the same finding.
        trace: each rule and waiver that was checked, and its outcome; empty where the status alone
            decided.
    """

    kind: FindingKind
    verdict: Verdict
    title: str
    message: str
    group: str = ""
    status: str = ""
    failed_reason: str = ""
    raw_error: str = ""
    data: str = ""
    sub_task: str = ""
    code: str = ""
    decided_by: str = ""
    reason: str = ""
    next_step: str = ""
    waived_by: str = ""
    waived_until: str = ""
    waiver_reason: str = ""
    known: bool = False
    trace: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """What the finding does to the gate: allow, warn or block."""
        return effect_of(self.verdict)

    def identity(self, task_id: str) -> tuple[str, ...]:
        """Return what makes the finding the same as one in another report; see `identity_of`."""
        texts = (self.title, self.sub_task, self.status, self.failed_reason)
        return identity_of(task_id, self.kind, *texts)


def identity_of(
    task_id: str, kind: FindingKind, title: str, sub_task: str, status: str, failed_reason: str
) -> tuple[str, ...]:
    """Return what makes a finding the same as one in another report.

    The first four parts stay when the status or the reason changes.
    """
    return (task_id, kind.value, title, sub_task, status, failed_reason)


def own_finding(
    kind: FindingKind,
    verdict: Verdict,
    title: str,
    message: str,
    *,
    rule: str,
    next_step: str = "",
    code: str = "",
) -> Finding:
    """Return a finding about a task or the run as a whole, its texts made harmless."""
    return Finding(
        kind=kind,
        verdict=verdict,
        title=title,
        message=clean_line(message),
        decided_by=clean_line(rule),
        next_step=clean_line(next_step),
        code=clean_line(code),
    )


@dataclass(frozen=True, slots=True)
class TaskVerdict:
    """The verdict of one task, its findings, and the service's own words about it.

    ``name`` is what people call the task, "" if unknown; ``timeline`` has (seconds since the run
    began, percent) for each step of progress seen.
    """

    task_id: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    progress: str = ""
    result: str = ""
    direction: str = ""
    passed_rate: str = ""
    instance_id: str = ""
    name: str = ""
    engine: str = ""
    timeline: tuple[tuple[float, float], ...] = ()


class WaiverState(Enum):
    """The state of a waiver in a run."""

    USED = "used"
    UNUSED = "unused"
    EXPIRED = "expired"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """One waiver of the policy in one run.

    ``origin`` is ``file:line path``; ``expires`` is its last day, ISO 8601; ``days_left`` is
    negative after that day; ``used`` counts the findings that it waived.
    """

    id: str
    owner: str
    reason: str
    ticket: str
    origin: str
    expires: str
    days_left: int
    state: WaiverState
    used: int


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """The verdict of a run: what its tasks add up to, and what concerns the run itself."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    requested: tuple[str, ...]
    tasks: dict[Verdict, int] = field(default_factory=dict)
    items: dict[Effect, int] = field(default_factory=dict)
    waivers: tuple[WaiverUse, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def warnings(self) -> int:
        """How many findings warn, over all tasks."""
        return self.items.get(Effect.WARN, 0)
