"""Which line of the policy decides about an item, whether a waiver softens it, and why. Pure."""

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

__all__ = ["Ruling", "Subject", "decide", "rule_on"]

# The keys of a match that look at what DRS may leave out.
LEFT_OUT = ("group", "direction")
_FIT = itemgetter(0)


class Subject(NamedTuple):
    """All that a rule or waiver may look at, exactly as the service spelled it.

    ``status`` is None for a required item that is absent; a ``group`` or ``direction`` that is
    blank is not known; ``sub_task`` holds the ID and the name of the sub-task, or nothing for the
    item itself, which alone can be ``skipped``.
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
    """What the policy makes of a subject.

    Attributes:
        decision: the effect before any waiver, and where it stands.
        waiver: the waiver that turned a block into a warning, or None.
        trace: each rule and waiver that was looked at, with what came of it; for people.
    """

    decision: Decision
    waiver: Waiver | None = None
    trace: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """The effect in the end."""
        return Effect.WARN if self.waiver is not None else self.decision.effect


def rule_on(policy: Policy, subject: Subject, today: date) -> Ruling:
    """Return what the policy says of ``subject`` on the day ``today`` (UTC)."""
    trace: list[str] = []
    return _waive(policy, subject, today, _decide(policy, subject, trace), trace)


def decide(policy: Policy, subject: Subject) -> Decision:
    """Return the decision about ``subject`` before any waiver."""
    return _decide(policy, subject, [])


def _decide(policy: Policy, subject: Subject, trace: list[str]) -> Decision:
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
    return _by_rules(policy, subject, trace)


def _by_rules(policy: Policy, subject: Subject, trace: list[str]) -> Decision:
    """Return what the first rule that matches decides, or a stricter one before it that may."""
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
    trace.append(f"{doubt.origin}: stricter, and not ruled out: {doubt.effect.value}")
    return doubt


def _fallback(policy: Policy, subject: Subject, trace: list[str]) -> Decision:
    fallback = policy.statuses[subject.status or Status.UNKNOWN]
    if subject.skipped and not subject.sub_task and subject.status is not Status.PASSED:
        # A status that nobody knows stays unknown, whoever skipped the check.
        known = subject.status is not Status.UNKNOWN
        stricter = policy.skipped.effect.strictness > fallback.effect.strictness
        fallback = policy.skipped if known or stricter else fallback
    # Where nothing else was looked at, nor will be, the decision itself says it all.
    if trace or (policy.waivers and fallback.effect is Effect.BLOCK):
        trace.append(f"{fallback.origin}: {fallback.effect.value}, as no rule matches")
    return fallback


def _waive(
    policy: Policy, subject: Subject, today: date, decision: Decision, trace: list[str]
) -> Ruling:
    # A FAILED item that DRS lets pass is a contradiction whatever a rule says of it, so that a
    # waiver is looked at even where the rule allows it: only so a rule that blocks changes nothing.
    contradicts = subject.status is Status.FAILED and not subject.sub_task and not subject.skipped
    if decision.effect is not Effect.BLOCK and not contradicts:
        return Ruling(decision, None, tuple(trace))
    for waiver in policy.waivers:
        why_not = _why_not(policy, waiver, subject, today)
        if why_not is None:
            trace.append(f"waiver {waiver.id} ({waiver.origin}): applies, it becomes a warning")
            return Ruling(decision, waiver, tuple(trace))
        trace.append(f"waiver {waiver.id} ({waiver.origin}): {why_not}")
    return Ruling(decision, None, tuple(trace))


def _why_not(policy: Policy, waiver: Waiver, subject: Subject, today: date) -> str | None:
    """Return why a waiver does not apply to a subject, or None where it does."""
    fit, key = _fit(waiver.match, subject)
    if not fit.holds(protects=False):
        if fit is Fit.UNKNOWN:
            return f"may match ({key} unknown), not applied"
        return f"does not match ({key})"
    if waiver.since is not None and today < waiver.since:
        return f"begins on {waiver.since}"
    if today > waiver.expires:
        return f"expired on {waiver.expires}"
    for never in policy.never_waive:
        fit = never.forbids(subject.item, subject.group)
        if fit.holds(protects=True):
            doubt = "" if fit is Fit.YES else " (group unknown)"
            return f"may not be waived, says {never.origin}{doubt}"
    return None


def _fit(match: Match, subject: Subject) -> tuple[Fit, str]:
    """Return whether a match applies, and the first key that does not match or is not known."""
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
