"""A policy as values: effects, rules, requirements, limits, each with where it comes from."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precheck_gate.model import Status

__all__ = ["Decision", "Effect", "Match", "Origin", "Patterns", "Policy", "Rule"]


class Effect(Enum):
    """What the policy makes of an item."""

    ALLOW = "allow"
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a decision stands: a file (or ``builtin:…``), a line from 1, a path in the file."""

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


class Patterns:
    """Exact texts and globs (``*``, ``?``, ``[a-z]``), case-sensitive; one of them must match."""

    __slots__ = ("_exact", "_globs", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        self._exact = frozenset(self.texts)
        globs = [text for text in self.texts if any(sign in text for sign in "*?[")]
        self._globs = tuple(re.compile(fnmatch.translate(glob)) for glob in globs)

    def match(self, text: str) -> bool:
        """Return whether ``text`` is one of the exact texts or fits one of the globs."""
        return text in self._exact or any(glob.match(text) for glob in self._globs)


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule applies to; None matches anything, and all that is given must match."""

    item: Patterns | None = None
    group: Patterns | None = None
    status: frozenset[Status] | None = None
    failed_reason: Patterns | None = None
    task: Patterns | None = None
    direction: Patterns | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy."""

    match: Match
    decision: Decision


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, ready to judge by.

    Attributes:
        name: the file as the user named it, or ``builtin:default``.
        digest: SHA-256 of the file's text in UTF-8, in hexadecimal.
        statuses: what holds where no rule matches; every `Status` is there.
        rules: in order; the first that matches decides.
        required_items: names of items that must be present and PASSED, with their place.
        max_warnings: the most warnings over all tasks; None for no limit.
        max_warnings_origin: where that limit stands.
        allow_empty: whether a task may pass without items.
    """

    name: str
    digest: str
    statuses: Mapping[Status, Decision]
    rules: tuple[Rule, ...] = ()
    required_items: Mapping[str, Origin] = field(default_factory=dict)
    max_warnings: int | None = None
    max_warnings_origin: Origin | None = None
    allow_empty: bool = False
