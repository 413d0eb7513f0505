"""What can be told of two matches without an item at hand: whether one covers the other. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.policy.evaluation import LEFT_OUT
from precheck_gate.policy.globs import covers, may_meet
from precheck_gate.policy.model import Fit

if TYPE_CHECKING:
    from precheck_gate.policy.model import Match

__all__ = ["match_covers", "matches_may_meet", "may_be_in_doubt"]

_KEYS = ("item", "group", "failed_reason", "task", "direction")


def match_covers(wide: Match, narrow: Match) -> bool:
    """Return whether ``wide`` matches whatever ``narrow`` does; yes is sure, no is not.

    What ``narrow`` may match, where DRS left something out, ``wide`` may match at least.
    """
    if wide.status is not None and (narrow.status is None or not narrow.status <= wide.status):
        return False
    # The item itself has no sub-task, and so not even * matches one there.
    if wide.sub_task is not None and narrow.sub_task is None:
        return False
    return all(covers(getattr(wide, key), getattr(narrow, key)) for key in (*_KEYS, "sub_task"))


def may_be_in_doubt(match: Match) -> bool:
    """Return whether an item may exist of which nobody can tell whether it matches."""
    parts = [getattr(match, key) for key in LEFT_OUT]
    return any(part is not None and part.fit("") is Fit.UNKNOWN for part in parts)


def matches_may_meet(one: Match, other: Match) -> bool:
    """Return whether an item may exist that one matches and the other may match; no is sure."""
    if one.status is not None and other.status is not None and not one.status & other.status:
        return False
    return all(may_meet(getattr(one, key), getattr(other, key)) for key in _KEYS)
