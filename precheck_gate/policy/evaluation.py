"""Which line of the policy decides about an item. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from precheck_gate.model import Status
    from precheck_gate.policy.model import Decision, Match, Policy

__all__ = ["Subject", "decide"]


class Subject(NamedTuple):
    """All that a rule may look at, exactly as the service spelled it."""

    task: str
    direction: str
    item: str
    group: str
    status: Status
    failed_reason: str


def decide(policy: Policy, subject: Subject) -> Decision:
    """Return what the policy says of ``subject``: the first rule that matches, else its status."""
    for rule in policy.rules:
        if _matches(rule.match, subject):
            return rule.decision
    return policy.statuses[subject.status]


def _matches(match: Match, subject: Subject) -> bool:
    return (
        (match.status is None or subject.status in match.status)
        and (match.item is None or match.item.match(subject.item))
        and (match.group is None or match.group.match(subject.group))
        and (match.failed_reason is None or match.failed_reason.match(subject.failed_reason))
        and (match.task is None or match.task.match(subject.task))
        and (match.direction is None or match.direction.match(subject.direction))
    )
