"""What can be told of two matches without an item at hand: whether one covers the other. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.policy.globs import covers, may_meet

if TYPE_CHECKING:
    from precheck_gate.policy.model import Match

__all__ = ["match_covers", "matches_may_meet"]

_KEYS = ("item", "group", "failed_reason", "task", "direction")


def match_covers(wide: Match, narrow: Match) -> bool:
    """Return whether ``wide`` matches whatever ``narrow`` does; yes is sure, no is not."""
    if wide.status is not None and (narrow.status is None or not narrow.status <= wide.status):
        return False
    # The item itself has no sub-task, and so not even * matches one there.
    if wide.sub_task is not None and narrow.sub_task is None:
        return False
    return all(covers(getattr(wide, key), getattr(narrow, key)) for key in (*_KEYS, "sub_task"))


def matches_may_meet(one: Match, other: Match) -> bool:
    """Return whether an item may exist that both match; no is sure, yes is not."""
    if one.status is not None and other.status is not None and not one.status & other.status:
        return False
    return all(may_meet(getattr(one, key), getattr(other, key)) for key in _KEYS)
