"""What happens while the gate polls, as frozen events for whoever shows progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from precheck_gate.model.snapshots import Snapshot, Trouble

__all__ = [
    "Answered",
    "Asked",
    "Event",
    "Faulted",
    "Observer",
    "Remarked",
    "TaskChanged",
    "Waiting",
]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request is about to be sent for these tasks."""

    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The service said how these tasks stand, with news or without."""

    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """The service says something new of a task."""

    task_id: str
    snapshot: Snapshot | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class Faulted:
    """A request failed; the gate asks again in ``delay`` seconds (None: it gives up)."""

    message: str
    delay: float | None


@dataclass(frozen=True, slots=True)
class Remarked:
    """An oddity that changes no verdict."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing is asked for ``delay`` seconds; ``left`` are those until the deadline."""

    delay: float
    left: float
    done: int
    total: int


Event = Answered | Asked | TaskChanged | Faulted | Remarked | Waiting


class Observer(Protocol):
    """Who is told of events; the core never sees what it does with them."""

    def notify(self, event: Event) -> None:
        """Take note of an event."""
        ...
