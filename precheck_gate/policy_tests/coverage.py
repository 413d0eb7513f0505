"""Which rules and waivers of the tested policies decided or waived something in some case."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.documents.yaml_document import Document, read_document
from precheck_gate.policy.reading import LayerReader
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precheck_gate.model.verdicts import Finding
    from precheck_gate.policy.model import Layer, Origin, Policy

__all__ = ["Coverage"]

# The same file may be reached by several paths.
_Place = tuple[str, int, str]


@dataclass
class Coverage:
    """Counts rules and waivers, in profiles and in ``tasks:`` too, and which were exercised.

    A rule is exercised when it decided about a finding, a waiver when it waived one. Those of the
    built-in presets do not count.
    """

    _known: dict[_Place, str] = field(default_factory=dict)
    _seen: set[_Place] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)

    def add(self, policy: Policy, document: Document | None, findings: Iterable[Finding]) -> None:
        """Take what one case judged by.

        Args:
            policy: the policy.
            document: the policy's own text where it stands in the case file, else None.
            findings: all that came out.
        """
        files = policy.sources
        if document is not None:
            self._learn(document)
            files = files[1:]
        for file in files:
            self._learn(Path(file))
        rules = [*policy.rules, *(rule for _, layer in policy.tasks for rule in layer.rules)]
        places = {clean_line(str(rule.decision.origin)): rule.decision.origin for rule in rules}
        waivers = {waiver.id: waiver.origin for waiver in policy.waivers}
        for finding in findings:
            for origin in (places.get(finding.decided_by), waivers.get(finding.waived_by)):
                if origin is not None:
                    self._seen.add(_place(origin))

    @property
    def total(self) -> int:
        """How many rules and waivers there are."""
        return len(self._known)

    @property
    def exercised(self) -> int:
        """How many of them a case exercised."""
        return len(self._known.keys() & self._seen)

    @property
    def percent(self) -> float:
        """The share that was exercised; 100 where there is nothing to exercise."""
        return 100 * self.exercised / self.total if self.total else 100.0

    @property
    def missed(self) -> list[str]:
        """``file:line path`` of each that no case exercised, in the order of the files."""
        return [self._known[place] for place in sorted(self._known.keys() - self._seen)]

    def _learn(self, source: Document | Path) -> None:
        if isinstance(source, Path) and str(source).startswith("builtin:"):
            return
        name = source.file if isinstance(source, Document) else str(source)
        key = f"{os.path.realpath(name)}:{id(source.value) if isinstance(source, Document) else ''}"
        if key in self._read:
            return
        self._read.add(key)
        document = source if isinstance(source, Document) else read_document(source, "policy")
        reader = LayerReader(document)
        for layer in (reader.top(), *map(reader.profile, reader.profiles)):
            for origin, about in _parts(layer) if layer is not None else ():
                self._known.setdefault(_place(origin), f"{origin}{about}")


def _parts(layer: Layer) -> Iterator[tuple[Origin, str]]:
    """Yield where each rule and waiver of a layer stands, and what to say beside."""
    for rule in layer.rules:
        yield rule.decision.origin, ""
    for waiver in layer.waivers:
        yield waiver.origin, f" ({waiver.id})"
    for _, inner in layer.tasks:
        yield from _parts(inner)


def _place(origin: Origin) -> _Place:
    return os.path.realpath(origin.file), origin.line, origin.path
