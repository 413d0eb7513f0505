"""The names of items and groups that are known, and which one was probably meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from precheck_gate.policy.globs import is_glob
from precheck_gate.policy.model import Patterns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.catalog import Catalog

__all__ = ["KnownNames"]


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What the catalogue knows by name."""

    items: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Catalog) -> KnownNames:
        """Return the names of a catalogue."""
        groups = sorted({entry.group for entry in catalog.items.values() if entry.group})
        return cls(tuple(catalog.items), tuple(groups))

    @staticmethod
    def near(pattern: str, known: Sequence[str]) -> str:
        """Return a hint that names what was probably meant, or "" where nothing is close."""
        folded = {name.casefold(): name for name in known}
        if is_glob(pattern):
            alike = Patterns([pattern.casefold()])
            found = next((name for fold, name in folded.items() if alike.match(fold)), None)
            if found is not None:
                return f"letters count: spelled otherwise it would match {found!r}"
        close = get_close_matches(pattern.casefold().strip("*?"), folded, n=1)
        return f"did you mean {folded[close[0]]!r}?" if close else ""
