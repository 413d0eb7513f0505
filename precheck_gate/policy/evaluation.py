"""Decide on an item: which line of the policy applies, which waiver, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect
from precheck_gate.policy.model import Decision, Fit

if TYPE_CHECKING:
    from datetime import date

    from precheck_gate.policy.model import Match, Policy, Waiver

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
