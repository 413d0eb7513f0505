"""What stands above and below the tasks of the HTML page, as plain values for the template."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate import __version__, catalog
from precheck_gate.model.verdicts import Effect, Verdict, WaiverState
from precheck_gate.reports.evidence import gist
from precheck_gate.reports.html.table import CLASSES, SIGNS
from precheck_gate.reports.wording import (
    EXPIRY_NOTICE_DAYS,
    LABELS,
    duration,
    headline,
    how_it_came_about,
    one_line,
    waiver_note,
)
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import Finding, RunFacts, RunVerdict, WaiverUse
    from precheck_gate.reports.html.table import PageRow

__all__ = ["Page", "page_of"]


@dataclass(frozen=True, slots=True)
class Segment:
    """The tasks of one verdict as a part of the bar."""

    verdict: str
    style: str
    number: int
    label: str
    start: str
    width: str

    @property
    def sign(self) -> str:
        """The sign of the verdict."""
        return SIGNS[self.style]


@dataclass(frozen=True, slots=True)
class Page:
    """What stands above and below the tasks."""

    style: str
    label: str
    sentence: str
    softened: bool
    segments: list[Segment]
    strip: list[str]
    provenance: list[tuple[str, str]]
    longest: float
    rows: dict[str, PageRow]

    def anchor(self, task_id: str) -> str:
        """Return the name of the row of a task."""
        return f"t{self.rows[task_id].index}"

    def name(self, task_id: str) -> str:
        """Return the name that its owner gave a task, where it was asked for; else nothing."""
        return self.rows[task_id].name

    @property
    def longest_words(self) -> str:
        """How long the longest pre-check was watched."""
        return duration(self.longest)

    @staticmethod
    def style_of(finding: Finding) -> str:
        """Return the class of a finding."""
        return CLASSES[finding.verdict]

    @staticmethod
    def sign_of(finding: Finding) -> str:
        """Return the sign of a finding."""
        return SIGNS[CLASSES[finding.verdict]]

    @staticmethod
    def in_short(raw_error: str) -> str:
        """Return a raw error on one line, cut where it is long: the task has all of it."""
        return one_line(raw_error)

    @staticmethod
    def gist(data: str) -> str:
        """Return evidence in short."""
        return clean_line(gist(data))

    @staticmethod
    def entry(item: str) -> catalog.Entry | None:
        """Return what the catalogue says of an item."""
        return catalog.load().entry(item)

    @staticmethod
    def note(waiver: WaiverUse) -> str:
        """Return what has to be said of a waiver."""
        return waiver_note(waiver)

    @staticmethod
    def waiver_style(waiver: WaiverUse) -> str:
        """Return the class of a waiver: whether somebody has to look at it."""
        if waiver.state is WaiverState.EXPIRED:
            return "block"
        soon = waiver.days_left <= EXPIRY_NOTICE_DAYS
        return "warn" if waiver.state is WaiverState.UNUSED or soon else "ok"


def page_of(run: RunVerdict, facts: RunFacts, rows: Sequence[PageRow]) -> Page:
    """Return the values of the page's head and foot."""
    provenance = how_it_came_about(facts)
    provenance.insert(0, ("Tool", f"precheck-gate {__version__}"))
    provenance.append(("Tasks asked for", str(len(run.requested))))
    items = sum(run.items.values())
    findings = [
        f"{run.items[effect]} {_SAID[effect]}" for effect in Effect if run.items.get(effect)
    ]
    provenance.append(("Items", f"{items} ({', '.join(findings)})" if findings else "0"))
    strip = [f"{facts.mode} of {facts.judged_on}"]
    if facts.policy:
        strip.append(f"policy {facts.policy}")
    if facts.seconds is not None:
        strip.append(f"took {duration(facts.seconds)}")
    strip.append(f"exit code {facts.exit_code}")
    ends = [row.timeline[-1][0] for row in rows if row.timeline]
    return Page(
        style=CLASSES[run.verdict],
        label=LABELS[run.verdict],
        sentence=headline(run),
        softened=facts.advisory and run.verdict is Verdict.BLOCKED,
        segments=_segments(rows),
        strip=strip,
        provenance=provenance,
        longest=max(ends, default=0.0),
        rows={row.task_id: row for row in rows},
    )


_SAID = {Effect.ALLOW: "allowed", Effect.WARN: "warning", Effect.BLOCK: "blocking"}


def _segments(rows: Sequence[PageRow]) -> list[Segment]:
    numbers = Counter(row.verdict for row in rows)
    segments = []
    start = 0.0
    for verdict in reversed(Verdict):
        if numbers[verdict]:
            width = numbers[verdict] / len(rows) * 100
            segments.append(
                Segment(
                    verdict=verdict.value,
                    style=CLASSES[verdict],
                    number=numbers[verdict],
                    label=LABELS[verdict].lower(),
                    start=f"{start:.4g}",
                    width=f"{width:.4g}",
                )
            )
            start += width
    return segments
