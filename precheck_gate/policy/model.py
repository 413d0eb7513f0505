"""A policy as values: effects, rules, waivers, requirements, limits, each with where it stands."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from precheck_gate.model.snapshots import Status
    from precheck_gate.model.verdicts import Effect

_Value = TypeVar("_Value")

__all__ = [
    "Decision",
    "Fit",
    "Layer",
    "Limits",
    "Match",
    "NeverWaive",
    "Origin",
    "Patterns",
    "Placed",
    "Policy",
    "Required",
    "Rule",
    "Waiver",
]


class Fit(IntEnum):
    """Whether an entry of the policy matches; ``UNKNOWN`` where DRS left out what it looks at.

    All of several parts match as the least of them does, any of them as the greatest.
    """

    NO = auto()
    UNKNOWN = auto()
    YES = auto()

    def holds(self, *, protects: bool) -> bool:
        """Return whether the entry applies: in doubt, where it protects and does not soften."""
        return self is Fit.YES or (self is Fit.UNKNOWN and protects)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something stands: a file (or ``builtin:…``), a line from 1, a path in the file."""

    file: str
    line: int
    path: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.path}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The effect on one item, where the policy says so, and the author's reason ("" if none)."""

    effect: Effect
    origin: Origin
    reason: str = ""


_GLOB = re.compile(r"[*?[]")


class Patterns:
    """Exact texts and globs (``*``, ``?``, ``[a-z]``), case-sensitive; one of them must match."""

    __slots__ = ("_exact", "_globs", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        self._exact = frozenset(self.texts)
        globs = [text for text in self.texts if _GLOB.search(text)]
        self._globs = tuple(re.compile(fnmatch.translate(glob)) for glob in globs)

    def match(self, text: str) -> bool:
        """Return whether ``text`` is one of the exact texts or fits one of the globs."""
        return text in self._exact or any(glob.match(text) for glob in self._globs)

    def fit(self, text: str) -> Fit:
        """Return how a text fits that DRS may leave out: where it is blank, it is not known."""
        blank = not text.strip()
        if self.match("" if blank else text):
            return Fit.YES
        return Fit.UNKNOWN if blank else Fit.NO

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patterns) and self.texts == other.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"Patterns({list(self.texts)!r})"


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule or waiver applies to; None matches anything, and all that is given must match."""

    item: Patterns | None = None
    group: Patterns | None = None
    status: frozenset[Status] | None = None
    failed_reason: Patterns | None = None
    task: Patterns | None = None
    direction: Patterns | None = None
    sub_task: Patterns | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy."""

    match: Match
    decision: Decision


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dated exception that turns a block into a warning; both days are waived, in UTC."""

    id: str
    match: Match
    reason: str
    owner: str
    expires: date
    origin: Origin
    since: date | None = None
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Required:
    """An item that must be present and PASSED, in all tasks or in those that match."""

    item: str
    origin: Origin
    task: Patterns | None = None
    direction: Patterns | None = None

    def applies(self, task: str, direction: str) -> Fit:
        """Return whether it is required of a task of this direction."""
        if self.task is not None and not self.task.match(task):
            return Fit.NO
        return Fit.YES if self.direction is None else self.direction.fit(direction)


@dataclass(frozen=True, slots=True)
class NeverWaive:
    """Items and groups that no waiver may touch, as one place says it."""

    origin: Origin
    items: Patterns | None = None
    groups: Patterns | None = None

    def forbids(self, item: str, group: str) -> Fit:
        """Return whether an item of this group may not be waived."""
        if self.items is not None and self.items.match(item):
            return Fit.YES
        return Fit.NO if self.groups is None else self.groups.fit(group)


@dataclass(frozen=True, slots=True)
class Placed(Generic[_Value]):
    """A value and where it stands."""

    value: _Value
    origin: Origin


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds; None where there is none."""

    max_warnings: Placed[int] | None = None
    max_warnings_per_task: Placed[int] | None = None
    min_passed_rate: Placed[float] | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place of a policy says; what it leaves open is None or empty."""

    statuses: Mapping[Status, Decision] = field(default_factory=dict)
    skipped: Decision | None = None
    rules: tuple[Rule, ...] = ()
    required: tuple[Required, ...] = ()
    limits: Limits = field(default_factory=Limits)
    allow_empty: Placed[bool] | None = None
    waivers: tuple[Waiver, ...] = ()
    never_waive: tuple[NeverWaive, ...] = ()
    max_waiver_days: Placed[int] | None = None
    known_warnings: Placed[str] | None = None
    tasks: tuple[tuple[Patterns, Layer], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Layer):
    """A whole policy, ready to judge by: a layer with nothing left open that has to be known.

    Attributes:
        name: the file as the user named it, or ``builtin:default``; with the profile, if any.
        digest: SHA-256 over the text of every file it was made of, in hexadecimal.
        statuses: what holds where no rule matches; every `Status` is there.
        skipped: what holds for an item that was skipped in DRS.
        rules: in order; the first that matches decides.
        required: items that must be present and PASSED.
        limits: bounds.
        allow_empty: whether a task may pass without items.
        waivers: dated exceptions, in order; the first that applies waives.
        never_waive: what no waiver may touch.
        max_waiver_days: the longest that a waiver may run.
        known_warnings: ``allow`` or ``count``: what warnings mean that the baseline had.
        tasks: layers for some tasks.
        sources: the files it was made of, the first named first.
    """

    name: str
    digest: str
    skipped: Decision
    sources: tuple[str, ...]
