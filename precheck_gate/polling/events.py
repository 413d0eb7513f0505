"""What happens during polling: events for an observer, and remarks for the report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from precheck_gate.model.snapshots import Snapshot, Trouble

MAX_REMARKS = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for the results of these tasks is about to be sent."""

    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer contains results of these tasks."""

    task_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """The state of a task changed."""

    task_id: str
    snapshot: Snapshot | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class Faulted:
    """A request failed; the next one follows in ``delay`` seconds (None: never)."""

    message: str
    delay: float | None


@dataclass(frozen=True, slots=True)
class Remarked:
    """Something unusual happened that changes no verdict."""

    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """No request is sent for ``delay`` seconds; the deadline is in ``left`` seconds."""

    delay: float
    left: float
    done: int
    total: int


Event = Answered | Asked | TaskChanged | Faulted | Remarked | Waiting


class Observer(Protocol):
    """Receives events, for example to show progress."""

    def notify(self, event: Event) -> None:
        """Receive an event."""


@dataclass
class Remarks:
    """Collects remarks; of each kind it keeps the first `MAX_REMARKS` and counts the others."""

    observer: Observer
    _kept: dict[str, dict[str, None]] = field(default_factory=dict)
    _more: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, kind: str) -> None:
        """Add a remark; ``kind`` names such remarks in the plural."""
        kept = self._kept.setdefault(kind, {})
        if text in kept:
            return
        if len(kept) >= MAX_REMARKS:
            self._more[kind] += 1
            return
        kept[text] = None
        self.observer.notify(Remarked(text))

    def texts(self) -> list[str]:
        """Return all remarks by kind, each kind with the number of those left out."""
        texts: list[str] = []
        for kind, kept in self._kept.items():
            texts += kept
            if more := self._more[kind]:
                texts.append(f"and {more} more {kind}")
        return texts
