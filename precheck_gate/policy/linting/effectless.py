"""Why a waiver can never turn a block into a warning, where that can be told. Pure.

Every answer is safe: a waiver is called without effect only where no answer of the service makes it
otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect
from precheck_gate.policy.globs import covers, may_meet
from precheck_gate.policy.linting.covering import match_covers, matches_may_meet
from precheck_gate.policy.model import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from precheck_gate.policy.model import (
        Layer,
        Match,
        Origin,
        Policy,
        Required,
        Waiver,
    )

__all__ = ["why_effectless"]

_SHADOWED = (
    "the first waiver that matches waives, and that one matches whenever this one does, for at"
    " least as long."
)
_NOTHING_BLOCKS = (
    "a waiver turns a block into a warning, or lifts the contradiction of a FAILED item; rules and"
    " statuses allow or warn here already, and it is not for FAILED items."
)
_PASSED = frozenset({Status.PASSED})


def why_effectless(
    waiver: Waiver, earlier: Sequence[Waiver], policies: Sequence[Policy], today: date
) -> tuple[str, str] | None:
    """Return what makes a waiver useless and the reason why, or None where it may be of use.

    Args:
        waiver: the one to look at.
        earlier: those that stand before it.
        policies: all in which it holds, one for each profile.
        today: the day, in UTC.
    """
    if today > waiver.expires:
        return (
            f"expired on {waiver.expires}",
            "an expired waiver waives nothing; take it out, or agree on a new date.",
        )
    origins = [_forbidden(policy, waiver.match) for policy in policies]
    if origins and all(origins):
        return (
            "waives nothing: all that it matches may never be waived",
            f"so says {origins[0]}.",
        )
    for before in earlier:
        if match_covers(before.match, waiver.match) and _outlasts(before, waiver):
            message = f"waives nothing: {before.id} in line {before.origin.line} does"
            return message, _SHADOWED
    if any(_may_block(policy, waiver.match) for policy in policies):
        return None
    return (
        "waives nothing: the policy blocks nothing that it matches",
        _NOTHING_BLOCKS,
    )


def _outlasts(long: Waiver, short: Waiver) -> bool:
    """Return whether one waiver holds on every day on which the other does."""
    begins = long.since is None or (short.since is not None and long.since <= short.since)
    return begins and long.expires >= short.expires


def _forbidden(policy: Policy, match: Match) -> Origin | None:
    """Return a place that forbids to waive all that is matched, or None where none does."""
    for never in policy.never_waive:
        if (never.items and match.item and covers(never.items, match.item)) or (
            never.groups and match.group and covers(never.groups, match.group)
        ):
            return never.origin
    return None


def _may_block(policy: Policy, match: Match) -> bool:
    """Return whether something that is matched may be blocked, be it as a contradiction."""
    # A FAILED item that DRS lets pass blocks whatever a rule says; sub-tasks are not looked at.
    if match.sub_task is None and (match.status is None or Status.FAILED in match.status):
        return True
    if any(_layer_may_block(layer, match) for _, layer in policy.tasks):
        return True
    if _required_may_block(policy.required, match):
        return True
    for rule in policy.rules:
        if matches_may_meet(rule.match, match):
            if rule.decision.effect is Effect.BLOCK:
                return True
            if match_covers(rule.match, match):
                return False
    return _falls_back_to_block(policy, match)


def _layer_may_block(layer: Layer, match: Match) -> bool:
    return (
        _required_may_block(layer.required, match)
        or any(
            rule.decision.effect is Effect.BLOCK and matches_may_meet(rule.match, match)
            for rule in layer.rules
        )
        or _falls_back_to_block(layer, match)
    )


def _required_may_block(required: Iterable[Required], match: Match) -> bool:
    # Sub-tasks are not required, and nothing that is PASSED fails a requirement.
    if match.sub_task is not None or match.status == _PASSED:
        return False
    return any(
        may_meet(match.item, Patterns([one.item]))
        and may_meet(match.task, one.task)
        and may_meet(match.direction, one.direction)
        for one in required
    )


def _falls_back_to_block(layer: Layer, match: Match) -> bool:
    wanted = match.status or frozenset(Status)
    statuses, skipped = layer.statuses, layer.skipped
    if any(statuses[one].effect is Effect.BLOCK for one in wanted if one in statuses):
        return True
    return skipped is not None and skipped.effect is Effect.BLOCK and wanted != _PASSED
