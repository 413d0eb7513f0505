"""Remarks on a run: each once, and of each kind no more than somebody will read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.polling.events import Remarked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.polling.events import Observer

__all__ = ["MAX_REMARKS", "Remarks"]

MAX_REMARKS = 20


@dataclass
class Remarks:
    """Oddities that change no verdict; only counted from the `MAX_REMARKS`\\ th of a kind on.

    Args:
        observer: told of each remark that is kept.
    """

    observer: Observer
    _kept: dict[str, dict[str, None]] = field(default_factory=dict)
    _more: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, kind: str) -> None:
        """Keep a remark, or count it; ``kind`` names such remarks in the plural."""
        kept = self._kept.setdefault(kind, {})
        if text in kept:
            return
        if len(kept) >= MAX_REMARKS:
            self._more[kind] += 1
            return
        kept[text] = None
        self.observer.notify(Remarked(text))

    def texts(self) -> list[str]:
        """Return all remarks, those of a kind together, and how many more there were."""
        return list(self._texts())

    def _texts(self) -> Iterator[str]:
        for kind, kept in self._kept.items():
            yield from kept
            if more := self._more[kind]:
                yield f"and {more} more {kind}"
