"""What DRS's pre-check items mean and how to fix them: a catalogue in ``items.json``, read once.

The texts are this project's own words. What they say of DRS rests on the public pages that each
entry names, and the commands also on common knowledge of the engine. An entry's ``mapping`` says
whether a source names the item or it was matched by meaning. DRS documents no complete list of
items or codes, so that an unknown one is normal. Shape: ``schemas/catalog-1.json``.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NEXT_STEP_LIMIT",
    "Basis",
    "Catalog",
    "Entry",
    "Failure",
    "FixLocation",
    "Reason",
    "Reference",
    "advise",
    "group_of",
    "load",
    "unknown_next_step",
]

NEXT_STEP_LIMIT = 200
"""The maximum length of a next step, in characters."""

_NAME_LIMIT = 48  # how much of a name from outside a next step shows
_FIRST_SENTENCE = re.compile(r".*?\.(?= +[A-Z]|$)", re.DOTALL)
_MISS = 3


class Basis(StrEnum):
    """How certain it is that a text belongs to an item."""

    READ = "read"  # a public source names the item beside its meaning
    INFERRED = "inferred"  # matched by meaning: the public page does not name the item


class FixLocation(StrEnum):
    """Where to begin with the fix."""

    SOURCE = "source"
    DESTINATION = "destination"
    TASK = "task"
    CONSOLE = "console"  # no public page describes a fix


@dataclass(frozen=True, slots=True)
class Reference:
    """A public document that a text rests on.

    ``kind`` is ``api-reference``, ``user-guide``, ``sdk`` or ``example``; ``url`` is empty if
    unknown.
    """

    title: str
    kind: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One pre-check item: what it checks, why that matters, and how to fix it.

    ``on_source``, ``on_destination`` and ``in_task`` are empty if there is nothing to do there or
    nothing is known; ``first`` says where to begin. ``group_from_example`` is true if the service's
    documented answers show the group, false if we inferred it.
    """

    item: str
    group: str
    group_from_example: bool
    title: str
    checks: str
    matters: str
    on_source: str
    on_destination: str
    in_task: str
    first: FixLocation
    engines: tuple[str, ...]
    reasons: tuple[str, ...]
    mapping: Basis
    sources: tuple[Reference, ...]

    @property
    def next_step(self) -> str:
        """What to do first: one sentence of at most ``NEXT_STEP_LIMIT`` characters."""
        match self.first:
            case FixLocation.SOURCE:
                step = f"On the source: {_first_sentence(self.on_source)}"
            case FixLocation.DESTINATION:
                step = f"On the destination: {_first_sentence(self.on_destination)}"
            case FixLocation.TASK:
                step = f"In the DRS task: {_first_sentence(self.in_task)}"
            case FixLocation.CONSOLE:
                step = "Open the task's pre-check in the DRS console and follow what it says there."
        return step if len(step) <= NEXT_STEP_LIMIT else step[: NEXT_STEP_LIMIT - 1] + "…"

    @property
    def text(self) -> str:
        """All searchable text in one string."""
        parts = (self.item, self.group, self.title, self.checks, self.matters)
        fixes = (self.on_source, self.on_destination, self.in_task)
        return " ".join((*parts, *fixes, *self.engines, *self.reasons))


@dataclass(frozen=True, slots=True)
class Reason:
    """One code of ``failed_reason``, and the item that it was seen with."""

    code: str
    meaning: str
    item: str
    sources: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that DRS's public pages describe without naming its item."""

    title: str
    symptom: str
    on_source: str
    on_destination: str
    in_task: str
    engines: tuple[str, ...]
    sources: tuple[Reference, ...]

    @property
    def text(self) -> str:
        """All searchable text in one string."""
        fixes = (self.on_source, self.on_destination, self.in_task)
        return " ".join((self.title, self.symptom, *fixes, *self.engines))


@dataclass(frozen=True, slots=True)
class Catalog:
    """The catalogue; ``items`` and ``reasons`` are keyed by name and code, in sorted order."""

    items: Mapping[str, Entry]
    reasons: Mapping[str, Reason]
    failures: tuple[Failure, ...]

    def entry(self, item: str) -> Entry | None:
        """Return the entry of ``item``, which is case-sensitive."""
        return self.items.get(item)

    def for_reason(self, code: str) -> Reason | None:
        """Return the meaning of the ``failed_reason`` ``code``, if it is documented."""
        return self.reasons.get(code)

    def search(self, text: str) -> list[Entry]:
        """Return the entries that contain every word of ``text``, case-insensitively.

        Matches in the item's name come first, then those in name and title, then the rest, each by
        name. A blank ``text`` finds nothing.
        """
        words = text.casefold().split()
        if not words:
            return []
        ranked = [(_rank(entry, words), entry.item, entry) for entry in self.items.values()]
        return [entry for rank, _, entry in sorted(ranked, key=lambda row: row[:2]) if rank < _MISS]

    def search_failures(self, text: str) -> list[Failure]:
        """Return the failures that contain every word of ``text``."""
        words = text.casefold().split()
        return [one for one in self.failures if words and _holds(one.text, words)]

    def suggest(self, item: str) -> list[str]:
        """Return up to three names close to ``item``, the closest first."""
        by_folded = {name.casefold(): name for name in self.items}
        return [by_folded[near] for near in get_close_matches(item.casefold(), by_folded)]


@functools.cache
def load() -> Catalog:
    """Return the catalogue of this release; only the first call reads the file."""
    data = resources.files(__name__).joinpath("items.json").read_text(encoding="utf-8")
    catalogue = json.loads(data)
    return Catalog(
        items=MappingProxyType({one["item"]: _entry(one) for one in catalogue["items"]}),
        reasons=MappingProxyType(
            {
                one["code"]: Reason(one["code"], one["meaning"], one["item"], _references(one))
                for one in catalogue["reasons"]
            }
        ),
        failures=tuple(
            Failure(**{**one, "engines": tuple(one["engines"]), "sources": _references(one)})
            for one in catalogue["failures"]
        ),
    )


def _entry(record: dict[str, Any]) -> Entry:
    fields = dict(record)
    group_from = fields.pop("group_from")
    fields |= {
        "group_from_example": group_from == "example",
        "first": FixLocation(record["first"]),
        "engines": tuple(record["engines"]),
        "reasons": tuple(record["reasons"]),
        "mapping": Basis(record["mapping"]),
        "sources": _references(record),
    }
    return Entry(**fields)


def _references(record: dict[str, Any]) -> tuple[Reference, ...]:
    return tuple(Reference(**one) for one in record["sources"])


def group_of(item: str) -> str:
    """Return the group of an item according to the catalogue, or ""."""
    entry = load().entry(item)
    return entry.group if entry else ""


def advise(item: str, group: str, failed_reason: str) -> str:  # noqa: ARG001
    """Return the next step for an item; this is the `JudgementContext`'s ``advise``."""
    entry = load().entry(item)
    return entry.next_step if entry else unknown_next_step(item, group)


def unknown_next_step(item: str, group: str) -> str:
    """Return the next step for an item that is not in the catalogue.

    Both names come from the service: they are shortened and cleaned.
    """
    where = f" (group {_shown(group)})" if group else ""
    return (
        f"The catalogue does not know {_shown(item) or 'this item'}{where}: "
        "read its cause in the task's pre-check in the DRS console."
    )


def _shown(name: str) -> str:
    line = clean_line(name)
    return line if len(line) <= _NAME_LIMIT else line[: _NAME_LIMIT - 1] + "…"


def _first_sentence(text: str) -> str:
    found = _FIRST_SENTENCE.match(text)
    return found.group() if found else text


def _rank(entry: Entry, words: list[str]) -> int:
    for rank, text in enumerate((entry.item, f"{entry.item} {entry.title}", entry.text)):
        if _holds(text, words):
            return rank
    return _MISS


def _holds(text: str, words: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)
