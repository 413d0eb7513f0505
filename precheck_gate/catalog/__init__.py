"""What DRS's pre-check items mean and how to mend them: a catalogue in ``items.json``, read once.

The texts are this project's own words. What they say of DRS rests on the public pages that each
entry names, the commands also on common knowledge of the engine; an entry's ``mapping`` tells
whether a source names the item or it was matched by meaning. The service documents no complete
list of items or codes, so an unknown one is normal. Shape: ``schemas/catalog-1.json``.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

from precheck_gate.catalog.entries import (
    NEXT_STEP_LIMIT,
    Basis,
    Entry,
    Failure,
    Place,
    Reason,
    Source,
    SourceKind,
    entry_of,
    failure_of,
    reason_of,
    unknown_next_step,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NEXT_STEP_LIMIT",
    "Basis",
    "Catalog",
    "Entry",
    "Failure",
    "Place",
    "Reason",
    "Source",
    "SourceKind",
    "load",
    "unknown_next_step",
]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The whole catalogue; ``items`` and ``reasons`` are keyed by name and code, in that order."""

    items: Mapping[str, Entry]
    reasons: Mapping[str, Reason]
    failures: tuple[Failure, ...]

    def entry(self, item: str) -> Entry | None:
        """Return the entry of ``item``, spelt exactly as the service spells it, or None."""
        return self.items.get(item)

    def for_reason(self, code: str) -> Reason | None:
        """Return what the ``failed_reason`` ``code`` means, or None where nobody documents it."""
        return self.reasons.get(code)

    def search(self, text: str) -> list[Entry]:
        """Return the entries in which every word of ``text`` occurs, in any case of letters.

        Words found in the item's name rank first, then those found with the help of the title,
        then the rest; within a rank entries stand by name. A blank ``text`` finds nothing.
        """
        words = text.casefold().split()
        if not words:
            return []
        ranked = [(_rank(entry, words), entry.item, entry) for entry in self.items.values()]
        return [entry for rank, _, entry in sorted(ranked, key=lambda row: row[:2]) if rank < _MISS]

    def search_failures(self, text: str) -> list[Failure]:
        """Return the failures without an item's name in which every word of ``text`` occurs."""
        words = text.casefold().split()
        return [f for f in self.failures if words and _holds(f.text, words)]

    def suggest(self, item: str) -> list[str]:
        """Return up to three names close to ``item``, the closest first; none if none is close."""
        by_folded = {name.casefold(): name for name in self.items}
        return [by_folded[near] for near in get_close_matches(item.casefold(), by_folded)]


@functools.cache
def load() -> Catalog:
    """Return the catalogue of this release; the file is read on the first call only."""
    data = resources.files(__name__).joinpath("items.json").read_text(encoding="utf-8")
    catalogue = json.loads(data)
    return Catalog(
        items=MappingProxyType({r["item"]: entry_of(r) for r in catalogue["items"]}),
        reasons=MappingProxyType({r["code"]: reason_of(r) for r in catalogue["reasons"]}),
        failures=tuple(failure_of(r) for r in catalogue["failures"]),
    )


_MISS = 3


def _rank(entry: Entry, words: list[str]) -> int:
    for rank, text in enumerate((entry.item, f"{entry.item} {entry.title}", entry.text)):
        if _holds(text, words):
            return rank
    return _MISS


def _holds(text: str, words: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)
