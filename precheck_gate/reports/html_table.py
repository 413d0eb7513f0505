"""The page's table of tasks by groups, as plain values for the template."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import FindingKind, Verdict
from precheck_gate.reports.wording import LABELS, duration, percent
from precheck_gate.safetext.cleaning import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precheck_gate.model.verdicts import TaskVerdict

__all__ = ["CLASSES", "SIGNS", "Cell", "PageRow", "headings", "row_of", "totals"]

MAX_COLUMNS = 16
OTHERS = "other groups"
NO_GROUP = "no group"
LANE_WIDTH = 100.0
LANE_HEIGHT = 20.0

CLASSES = {
    Verdict.PASSED: "ok",
    Verdict.PASSED_WITH_WARNINGS: "warn",
    Verdict.BLOCKED: "block",
    Verdict.INCOMPLETE: "open",
    Verdict.ERROR: "error",
}
SIGNS = {"ok": "✓", "warn": "!", "block": "×", "open": "…", "error": "?"}


@dataclass(frozen=True, slots=True)
class Cell:
    """How bad one group is, in how many findings or tasks, and what they are in words."""

    verdict: Verdict
    number: int
    words: str

    @property
    def worst(self) -> str:
        """The class of the worst."""
        return CLASSES[self.verdict]

    @property
    def sign(self) -> str:
        """The sign that says the class without a colour."""
        return SIGNS[self.worst]


@dataclass(frozen=True, slots=True)
class PageRow:
    """One task as the table shows it; ``groups`` counts its findings by group and verdict."""

    index: int
    task_id: str
    name: str
    verdict: Verdict
    progress: str
    groups: dict[str, Counter[Verdict]]
    own: Counter[Verdict]
    timeline: tuple[tuple[float, float], ...]
    waived: int
    known: int

    @property
    def style(self) -> str:
        """The class of the verdict."""
        return CLASSES[self.verdict]

    @property
    def sign(self) -> str:
        """The sign of the verdict."""
        return SIGNS[self.style]

    @property
    def label(self) -> str:
        """The verdict in words."""
        return LABELS[self.verdict]

    @property
    def counts(self) -> str:
        """What its items add up to."""
        total = sum(self.groups.values(), Counter[Verdict]())
        words = []
        blocking = sum(number for verdict, number in total.items() if not verdict.green)
        if blocking:
            words.append(f"{blocking} blocking")
        if total[Verdict.PASSED_WITH_WARNINGS]:
            words.append(count(total[Verdict.PASSED_WITH_WARNINGS], "warning"))
        if self.waived:
            words.append(f"{self.waived} waived")
        if self.known:
            words.append(f"{self.known} known")
        if not words:
            words.append(f"{total[Verdict.PASSED]} allowed" if total else "no items")
        return ", ".join(words)

    def cells(self, columns: Sequence[str]) -> Iterable[Cell | None]:
        """Yield what stands below each heading; None where the task has nothing there."""
        yield _cell(self.own)
        shown = set(columns)
        for column in columns:
            if column == OTHERS and column not in self.groups:
                rest = [tally for group, tally in self.groups.items() if group not in shown]
                yield _cell(sum(rest, Counter[Verdict]()))
            else:
                yield _cell(self.groups.get(column, Counter[Verdict]()))

    def lane(self, longest: float) -> str:
        """Return the points of the area below its progress, over the run's time."""
        points = [
            (seconds / longest * LANE_WIDTH, (100 - done) / 100 * LANE_HEIGHT)
            for seconds, done in self.timeline
        ]
        area = [(points[0][0], LANE_HEIGHT), *points, (points[-1][0], LANE_HEIGHT)]
        return " ".join(f"{x:.4g},{y:.3g}" for x, y in area)

    @property
    def lane_style(self) -> str:
        """The class of the line of its progress: plain where it came to its end."""
        return "plainly" if self.verdict.severity < Verdict.INCOMPLETE.severity else self.style

    def lane_words(self) -> str:
        """Return its progress in words."""
        seconds, done = self.timeline[-1]
        return f"{done:g} % after {duration(seconds)}"


def row_of(task: TaskVerdict, index: int) -> PageRow:
    """Return what the table shows of a task."""
    groups: dict[str, Counter[Verdict]] = {}
    own: Counter[Verdict] = Counter()
    for finding in task.findings:
        if finding.kind is FindingKind.TASK:
            own[finding.verdict] += 1
        else:
            groups.setdefault(finding.group or NO_GROUP, Counter())[finding.verdict] += 1
    return PageRow(
        index=index,
        task_id=task.task_id,
        name=task.name,
        verdict=task.verdict,
        progress=percent(task.progress),
        groups=groups,
        own=own,
        timeline=task.timeline,
        waived=sum(bool(finding.waived_by) for finding in task.findings),
        known=sum(finding.known for finding in task.findings),
    )


def headings(rows: Iterable[PageRow]) -> list[str]:
    """Return the groups that get a column: the most troubled ones where there are too many."""
    trouble: Counter[str] = Counter()
    for row in rows:
        for group, tally in row.groups.items():
            bad = sum(number for verdict, number in tally.items() if verdict is not Verdict.PASSED)
            trouble[group] += bad
    groups = sorted(trouble)
    if len(groups) > MAX_COLUMNS:
        groups = sorted(sorted(groups, key=lambda group: -trouble[group])[: MAX_COLUMNS - 1])
        groups.append(OTHERS)
    return groups


def totals(rows: Iterable[PageRow], columns: Sequence[str]) -> list[Cell | None]:
    """Return below each heading how many tasks have trouble there, and of which kind."""
    tallies: list[Counter[Verdict]] = [Counter() for _ in range(len(columns) + 1)]
    for row in rows:
        for tally, cell in zip(tallies, row.cells(columns), strict=True):
            if cell is not None and cell.verdict is not Verdict.PASSED:
                tally[cell.verdict] += 1
    return [_total(tally) for tally in tallies]


def _total(tally: Counter[Verdict]) -> Cell | None:
    if not tally:
        return None
    words = ", ".join(
        f"{count(tally[verdict], 'task')} {LABELS[verdict].lower()}"
        for verdict in reversed(Verdict)
        if tally[verdict]
    )
    worst = max(tally, key=lambda verdict: verdict.severity)
    return Cell(worst, tally.total(), words)


def _cell(tally: Counter[Verdict]) -> Cell | None:
    if not tally:
        return None
    worst = max(tally, key=lambda verdict: verdict.severity)
    number = tally[worst]
    words = ", ".join(
        f"{tally[verdict]} {_VERBS[verdict]}" for verdict in reversed(Verdict) if tally[verdict]
    )
    return Cell(worst, number, words)


_VERBS = {
    Verdict.PASSED: "allowed",
    Verdict.PASSED_WITH_WARNINGS: "warning",
    Verdict.BLOCKED: "blocking",
    Verdict.INCOMPLETE: "incomplete",
    Verdict.ERROR: "in error",
}
