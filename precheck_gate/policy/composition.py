"""Layers on top of each other make a policy. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from precheck_gate.policy.model import Layer, Limits, Placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.policy.model import Policy

__all__ = ["for_task", "stack"]


def stack(layers: Sequence[Layer]) -> Layer:
    """Return what ``layers`` say together, the lowest first.

    A single value of an upper layer covers that of a lower one; an upper layer's rules are looked
    at first; requirements, waivers and what may never be waived add up; and of several
    ``max_waiver_days`` the smallest holds, so that a team cannot lift its organisation's bound.
    """
    return reduce(_on_top, layers, Layer())


def _on_top(lower: Layer, upper: Layer) -> Layer:
    return Layer(
        statuses={**lower.statuses, **upper.statuses},
        skipped=upper.skipped or lower.skipped,
        rules=upper.rules + lower.rules,
        required=lower.required + upper.required,
        limits=_limits(lower.limits, upper.limits),
        allow_empty=upper.allow_empty or lower.allow_empty,
        waivers=lower.waivers + upper.waivers,
        never_waive=lower.never_waive + upper.never_waive,
        max_waiver_days=_smallest(lower.max_waiver_days, upper.max_waiver_days),
        known_warnings=upper.known_warnings or lower.known_warnings,
        tasks=lower.tasks + upper.tasks,
    )


def _limits(lower: Limits, upper: Limits) -> Limits:
    return Limits(
        max_warnings=upper.max_warnings or lower.max_warnings,
        max_warnings_per_task=upper.max_warnings_per_task or lower.max_warnings_per_task,
        min_passed_rate=upper.min_passed_rate or lower.min_passed_rate,
    )


def _smallest(one: Placed[int] | None, other: Placed[int] | None) -> Placed[int] | None:
    placed = [each for each in (one, other) if each is not None]
    return min(placed, key=lambda each: each.value, default=None)


def for_task(policy: Policy, task_id: str) -> Policy:
    """Return the policy with the layers of ``tasks:`` that match this task on top."""
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
        # The bound of the whole run is not one task's.
        limits=replace(made.limits, max_warnings=policy.limits.max_warnings),
        allow_empty=made.allow_empty,
    )
