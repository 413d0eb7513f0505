"""What the catalogue says of one item, one failure code or one failure without an item's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from precheck_gate.safetext.cleaning import clean_line

__all__ = [
    "NEXT_STEP_LIMIT",
    "Basis",
    "Entry",
    "Failure",
    "Place",
    "Reason",
    "Source",
    "SourceKind",
    "unknown_next_step",
]

NEXT_STEP_LIMIT = 200
"""A next step is never longer than this many characters."""

_NAME_LIMIT = 48  # what a next step shows of a name that came from outside
_FIRST_SENTENCE = re.compile(r".*?\.(?= +[A-Z]|$)", re.DOTALL)


class Basis(StrEnum):
    """How sure it is that a text belongs to an item's code-like name."""

    READ = "read"  # a public source names the item beside its meaning
    INFERRED = "inferred"  # matched by meaning: the public page does not name the item


class Place(StrEnum):
    """Where an item is mended first."""

    SOURCE = "source"
    DESTINATION = "destination"
    TASK = "task"
    CONSOLE = "console"  # no public page tells the remedy


class SourceKind(StrEnum):
    """What sort of public document a source is."""

    API_REFERENCE = "api-reference"
    USER_GUIDE = "user-guide"
    SDK = "sdk"
    EXAMPLE = "example"


@dataclass(frozen=True, slots=True)
class Source:
    """A public document that a text rests on; ``url`` is empty where its address is not known."""

    title: str
    kind: SourceKind
    url: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One pre-check item: what it checks, why that matters, and how to mend it where.

    ``on_source``, ``on_destination`` and ``in_task`` are empty where there is nothing to do or
    nothing is known; ``first`` says which of them to begin with. ``group_from_example`` is true
    where the service's documented answers show the group, false where it is our best inference.
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
    first: Place
    engines: tuple[str, ...]
    reasons: tuple[str, ...]
    mapping: Basis
    sources: tuple[Source, ...]

    @property
    def next_step(self) -> str:
        """What to do first, in one sentence of at most ``NEXT_STEP_LIMIT`` characters."""
        match self.first:
            case Place.SOURCE:
                step = f"On the source: {_first_sentence(self.on_source)}"
            case Place.DESTINATION:
                step = f"On the destination: {_first_sentence(self.on_destination)}"
            case Place.TASK:
                step = f"In the DRS task: {_first_sentence(self.in_task)}"
            case Place.CONSOLE:
                step = "Open the task's pre-check in the DRS console and follow what it says there."
        return step if len(step) <= NEXT_STEP_LIMIT else step[: NEXT_STEP_LIMIT - 1] + "…"

    @property
    def text(self) -> str:
        """Everything a search may look through, in one string."""
        parts = (self.item, self.group, self.title, self.checks, self.matters)
        remedies = (self.on_source, self.on_destination, self.in_task)
        return " ".join((*parts, *remedies, *self.engines, *self.reasons))


@dataclass(frozen=True, slots=True)
class Reason:
    """One code of the service's ``failed_reason``, and the item it was seen with."""

    code: str
    meaning: str
    item: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that DRS's public pages describe without an item's name that would be known."""

    title: str
    symptom: str
    on_source: str
    on_destination: str
    in_task: str
    engines: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def text(self) -> str:
        """Everything a search may look through, in one string."""
        remedies = (self.on_source, self.on_destination, self.in_task)
        return " ".join((self.title, self.symptom, *remedies, *self.engines))


def unknown_next_step(item: str, group: str) -> str:
    """Return an honest next step for an item that the catalogue does not know.

    Both names come from the service: they are shortened and made harmless.
    """
    where = f" (group {_shown(group)})" if group else ""
    return (
        f"The catalogue does not know {_shown(item) or 'this item'}{where}: "
        "read its cause in the task's pre-check in the DRS console."
    )


def entry_of(record: dict[str, Any]) -> Entry:
    """Return the entry that ``record``, an element of the catalogue's ``items``, describes."""
    return Entry(
        item=record["item"],
        group=record["group"],
        group_from_example=record["group_from"] == "example",
        title=record["title"],
        checks=record["checks"],
        matters=record["matters"],
        on_source=record["on_source"],
        on_destination=record["on_destination"],
        in_task=record["in_task"],
        first=Place(record["first"]),
        engines=tuple(record["engines"]),
        reasons=tuple(record["reasons"]),
        mapping=Basis(record["mapping"]),
        sources=_sources_of(record),
    )


def reason_of(record: dict[str, Any]) -> Reason:
    """Return the reason that ``record``, an element of the catalogue's ``reasons``, describes."""
    return Reason(record["code"], record["meaning"], record["item"], _sources_of(record))


def failure_of(record: dict[str, Any]) -> Failure:
    """Return the failure that ``record``, an element of the catalogue's ``failures``, describes."""
    return Failure(
        title=record["title"],
        symptom=record["symptom"],
        on_source=record["on_source"],
        on_destination=record["on_destination"],
        in_task=record["in_task"],
        engines=tuple(record["engines"]),
        sources=_sources_of(record),
    )


def _sources_of(record: dict[str, Any]) -> tuple[Source, ...]:
    return tuple(
        Source(source["title"], SourceKind(source["kind"]), source.get("url", ""))
        for source in record["sources"]
    )


def _first_sentence(text: str) -> str:
    found = _FIRST_SENTENCE.match(text)
    return found.group() if found else text


def _shown(name: str) -> str:
    line = clean_line(name)
    return line if len(line) <= _NAME_LIMIT else line[: _NAME_LIMIT - 1] + "…"
