"""A policy as values, and what it decides on an item: which line, which waiver, and why. Pure."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field, replace
from enum import IntEnum, auto
from functools import reduce
from operator import itemgetter
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date


_Value = TypeVar("_Value")
_GLOB = re.compile(r"[*?[]")


class Fit(IntEnum):
    """Whether an entry of the policy matches.

    ``UNKNOWN``: DRS left out the field that the entry looks at. If all of several parts must
    match, the smallest fit counts; if any of them may, the greatest.
    """

    NO = auto()
    UNKNOWN = auto()
    YES = auto()

    def holds(self, *, protects: bool) -> bool:
        """Return whether the entry applies; in doubt, only if it makes the result stricter."""
        return self is Fit.YES or (self is Fit.UNKNOWN and protects)


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a policy: the file (or ``builtin:…``), the line from 1, the path in the file."""

    file: str
    line: int
    path: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.path}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The effect on one item, the place that decides it, and the author's reason, if any."""

    effect: Effect
    origin: Origin
    reason: str = ""


class Patterns:
    """Exact texts and globs (``*``, ``?``, ``[a-z]``), case-sensitive; one of them must match."""

    __slots__ = ("_exact", "_globs", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        self._exact = frozenset(self.texts)
        globs = [text for text in self.texts if _GLOB.search(text)]
        self._globs = tuple(re.compile(fnmatch.translate(glob)) for glob in globs)

    def match(self, text: str) -> bool:
        """Return whether ``text`` is one of the exact texts or fits one of the globs."""
        return text in self._exact or any(glob.match(text) for glob in self._globs)

    def fit(self, text: str) -> Fit:
        """Return how a text fits that DRS may leave out; a blank text is unknown."""
        blank = not text.strip()
        if self.match("" if blank else text):
            return Fit.YES
        return Fit.UNKNOWN if blank else Fit.NO

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patterns) and self.texts == other.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"Patterns({list(self.texts)!r})"


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule or waiver applies to; None matches anything, and all other fields must match."""

    item: Patterns | None = None
    group: Patterns | None = None
    status: frozenset[Status] | None = None
    failed_reason: Patterns | None = None
    task: Patterns | None = None
    direction: Patterns | None = None
    sub_task: Patterns | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy."""

    match: Match
    decision: Decision


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dated exception that turns a block into a warning; both dates are inclusive, in UTC."""

    id: str
    match: Match
    reason: str
    owner: str
    expires: date
    origin: Origin
    since: date | None = None
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Required:
    """An item that must be present and PASSED, in all tasks or in the matching ones."""

    item: str
    origin: Origin
    task: Patterns | None = None
    direction: Patterns | None = None

    def applies(self, task: str, direction: str) -> Fit:
        """Return whether a task of this direction must have the item."""
        if self.task is not None and not self.task.match(task):
            return Fit.NO
        return Fit.YES if self.direction is None else self.direction.fit(direction)


@dataclass(frozen=True, slots=True)
class NeverWaive:
    """Items and groups that no waiver may touch."""

    origin: Origin
    items: Patterns | None = None
    groups: Patterns | None = None

    def forbids(self, item: str, group: str) -> Fit:
        """Return whether an item of this group may not be waived."""
        if self.items is not None and self.items.match(item):
            return Fit.YES
        return Fit.NO if self.groups is None else self.groups.fit(group)


@dataclass(frozen=True, slots=True)
class Placed(Generic[_Value]):
    """A value with its place in the policy."""

    value: _Value
    origin: Origin


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits; None means unlimited."""

    max_warnings: Placed[int] | None = None
    max_warnings_per_task: Placed[int] | None = None
    min_passed_rate: Placed[float] | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one file, profile or key of ``tasks:``; what is not set is None or empty."""

    statuses: Mapping[Status, Decision] = field(default_factory=dict)
    skipped: Decision | None = None
    rules: tuple[Rule, ...] = ()
    required: tuple[Required, ...] = ()
    limits: Limits = field(default_factory=Limits)
    allow_empty: Placed[bool] | None = None
    waivers: tuple[Waiver, ...] = ()
    never_waive: tuple[NeverWaive, ...] = ()
    max_waiver_days: Placed[int] | None = None
    known_warnings: Placed[str] | None = None
    tasks: tuple[tuple[Patterns, Layer], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Layer):
    """A complete policy: ``statuses`` has every `Status`, and ``skipped`` is set.

    Attributes:
        name: the file as the user named it, or ``builtin:default``; with the profile, if any.
        digest: SHA-256 over the text of all its files, in hexadecimal.
        sources: its files, the one that the user named first.
    """

    name: str
    digest: str
    skipped: Decision
    sources: tuple[str, ...]


def stack(layers: Sequence[Layer]) -> Layer:
    """Combine layers, the lowest first.

    A single value of an upper layer replaces that of a lower one. An upper layer's rules come
    first. Requirements, waivers and ``never_waive`` add up. The smallest ``max_waiver_days`` holds,
    so that a team cannot lift its organisation's limit.
    """
    return reduce(_on_top, layers, Layer())


def _on_top(lower: Layer, upper: Layer) -> Layer:
    days = [one for one in (lower.max_waiver_days, upper.max_waiver_days) if one is not None]
    low, high = lower.limits, upper.limits
    return Layer(
        statuses={**lower.statuses, **upper.statuses},
        skipped=upper.skipped or lower.skipped,
        rules=upper.rules + lower.rules,
        required=lower.required + upper.required,
        limits=Limits(
            max_warnings=high.max_warnings or low.max_warnings,
            max_warnings_per_task=high.max_warnings_per_task or low.max_warnings_per_task,
            min_passed_rate=high.min_passed_rate or low.min_passed_rate,
        ),
        allow_empty=upper.allow_empty or lower.allow_empty,
        waivers=lower.waivers + upper.waivers,
        never_waive=lower.never_waive + upper.never_waive,
        max_waiver_days=min(days, key=lambda one: one.value, default=None),
        known_warnings=upper.known_warnings or lower.known_warnings,
        tasks=lower.tasks + upper.tasks,
    )


def for_task(policy: Policy, task_id: str) -> Policy:
    """Return the policy with the matching layers of ``tasks:`` on top."""
    layers = [layer for patterns, layer in policy.tasks if patterns.match(task_id)]
    if not layers:
        return policy
    made = stack([policy, *layers])
    return replace(
        policy,
        statuses=made.statuses,
        skipped=made.skipped or policy.skipped,
        rules=made.rules,
        required=made.required,
        # max_warnings limits the whole run, not one task.
        limits=replace(made.limits, max_warnings=policy.limits.max_warnings),
        allow_empty=made.allow_empty,
    )


# The keys of a match for fields that DRS may leave out.
LEFT_OUT = ("group", "direction")
_FIT = itemgetter(0)


class Subject(NamedTuple):
    """All that a rule or waiver can match, exactly as the service spelled it.

    ``status`` is None for a required item that is absent. A blank ``group`` or ``direction`` is
    unknown. ``sub_task`` is the ID and name of the sub-task, or empty for the item itself; only an
    item can be ``skipped``.
    """

    task: str
    direction: str
    item: str
    group: str
    status: Status | None
    failed_reason: str
    skipped: bool = False
    sub_task: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """The effect of the policy on a subject.

    Attributes:
        decision: the effect before any waiver, and its place in the policy.
        waiver: the waiver that turned a block into a warning, if any.
        trace: each rule and waiver that was considered, with the outcome; for people.
    """

    decision: Decision
    waiver: Waiver | None = None
    trace: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """The effect after the waiver."""
        return Effect.WARN if self.waiver is not None else self.decision.effect


def rule_on(policy: Policy, subject: Subject, today: date) -> Ruling:
    """Return the effect of the policy on ``subject`` on the day ``today`` (UTC)."""
    trace: list[str] = []
    decision = decide(policy, subject, trace)
    waiver = _waive(policy, subject, today, decision, trace)
    return Ruling(decision, waiver, tuple(trace))


def decide(policy: Policy, subject: Subject, trace: list[str] | None = None) -> Decision:
    """Return the decision before any waiver; ``trace`` gains a line for each rule considered."""
    trace = [] if trace is None else trace
    for required in policy.required:
        if (
            required.item == subject.item
            and not subject.sub_task
            and subject.status is not Status.PASSED
            and (fit := required.applies(subject.task, subject.direction)).holds(protects=True)
        ):
            said = "required" if fit is Fit.YES else "may be required (direction unknown)"
            trace.append(f"{required.origin}: {said} and not PASSED, blocks")
            return Decision(Effect.BLOCK, required.origin, "a required item must be PASSED")
    # The first rule that matches decides, or a stricter one before it that may match.
    doubts: list[Decision] = []
    for rule in policy.rules:
        fit, key = _fit(rule.match, subject)
        if fit is Fit.YES:
            trace.append(f"{rule.decision.origin}: matches, {rule.decision.effect.value}")
            sure = rule.decision
            break
        if fit is Fit.UNKNOWN:
            doubts.append(rule.decision)
            trace.append(f"{rule.decision.origin}: may match ({key} unknown)")
        else:
            trace.append(f"{rule.decision.origin}: does not match ({key})")
    else:
        sure = _fallback(policy, subject, trace)
    doubt = max(doubts, key=lambda one: one.effect.strictness, default=sure)
    if not Fit.UNKNOWN.holds(protects=doubt.effect.strictness > sure.effect.strictness):
        return sure
    trace.append(f"{doubt.origin}: stricter and may match, {doubt.effect.value}")
    return doubt


def _fallback(policy: Policy, subject: Subject, trace: list[str]) -> Decision:
    fallback = policy.statuses[subject.status or Status.UNKNOWN]
    if subject.skipped and not subject.sub_task and subject.status is not Status.PASSED:
        # Skipping a check must not soften a status that nobody knows.
        known = subject.status is not Status.UNKNOWN
        stricter = policy.skipped.effect.strictness > fallback.effect.strictness
        fallback = policy.skipped if known or stricter else fallback
    # If nothing else is considered, the decision itself says it all.
    if trace or (policy.waivers and fallback.effect is Effect.BLOCK):
        trace.append(f"{fallback.origin}: no rule matches, {fallback.effect.value}")
    return fallback


def _waive(
    policy: Policy, subject: Subject, today: date, decision: Decision, trace: list[str]
) -> Waiver | None:
    # A FAILED item in a task that DRS calls ready is a contradiction, which blocks even if a rule
    # allows the item. Look for a waiver there too, so that a blocking rule changes nothing.
    contradicts = subject.status is Status.FAILED and not subject.sub_task and not subject.skipped
    if decision.effect is not Effect.BLOCK and not contradicts:
        return None
    for waiver in policy.waivers:
        why_not = _why_not(policy, waiver, subject, today)
        said = why_not or "applies, becomes a warning"
        trace.append(f"waiver {waiver.id} ({waiver.origin}): {said}")
        if why_not is None:
            return waiver
    return None


def _why_not(policy: Policy, waiver: Waiver, subject: Subject, today: date) -> str | None:
    """Return why a waiver does not apply to a subject, or None if it does."""
    fit, key = _fit(waiver.match, subject)
    if not fit.holds(protects=False):
        if fit is Fit.UNKNOWN:
            return f"may match ({key} unknown), not applied"
        return f"does not match ({key})"
    if waiver.since is not None and today < waiver.since:
        return f"starts on {waiver.since}"
    if today > waiver.expires:
        return f"expired on {waiver.expires}"
    for never in policy.never_waive:
        fit = never.forbids(subject.item, subject.group)
        if fit.holds(protects=True):
            doubt = "" if fit is Fit.YES else " (group unknown)"
            return f"not allowed by {never.origin}{doubt}"
    return None


def _fit(match: Match, subject: Subject) -> tuple[Fit, str]:
    """Return whether a match applies, and the first key that does not match or is unknown."""
    if match.status is not None and subject.status not in match.status:
        return Fit.NO, "status"
    for key in ("item", "failed_reason", "task"):
        patterns = getattr(match, key)
        if patterns is not None and not patterns.match(getattr(subject, key)):
            return Fit.NO, key
    if match.sub_task is not None and not any(map(match.sub_task.match, subject.sub_task)):
        return Fit.NO, "sub_task"
    found = (Fit.YES, "")
    for key in LEFT_OUT:
        patterns = getattr(match, key)
        if patterns is not None:
            found = min(found, (patterns.fit(getattr(subject, key)), key), key=_FIT)
    return found
