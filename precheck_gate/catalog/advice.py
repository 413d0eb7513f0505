"""What the catalogue says to a judgement: the next step for an item, and its group.

The catalogue is read when it is first asked, which a run in which everything passes never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["advice", "group_of"]


def group_of(item: str) -> str:
    """Return the group of an item as the catalogue knows it, or ""."""
    from precheck_gate import catalog

    entry = catalog.load().entry(item)
    return entry.group if entry else ""


def advice() -> Callable[[str, str, str], str]:
    """Return what tells the next step for an item."""

    def advise(item: str, group: str, failed_reason: str) -> str:  # noqa: ARG001
        from precheck_gate import catalog

        entry = catalog.load().entry(item)
        return entry.next_step if entry else catalog.unknown_next_step(item, group)

    return advise
