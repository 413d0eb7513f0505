"""The HTML report: one file that explains a run, with no need of a network or a server.

The template renders what a reader sees without any script: the verdict, the causes, the tasks by
groups, the waivers. The page's own script makes the details from data in the page (`html_data`), so
that a run of hundreds of tasks opens at once. A Content-Security-Policy names the one script and
the one style sheet by their hashes, so no other script or style is active.

Equal verdicts give equal bytes: the page holds no time of rendering and no random name.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Any, TextIO

from precheck_gate import catalog
from precheck_gate.errors import UsageError
from precheck_gate.model.verdicts import Effect, FindingKind, Verdict, WaiverState, worst
from precheck_gate.reports.base import open_spool
from precheck_gate.reports.causes import Causes
from precheck_gate.reports.evidence import gist
from precheck_gate.reports.html_data import Compactor, script_json
from precheck_gate.reports.wording import (
    EXPIRY_NOTICE_DAYS,
    LABELS,
    duration,
    headline,
    one_line,
    run_details,
    waiver_note,
)
from precheck_gate.runtime.version import __version__
from precheck_gate.safetext.cleaning import clean_line, count

try:
    import jinja2
    from markupsafe import Markup
except ImportError:  # pragma: no cover  # tested in a process of its own
    raise UsageError(
        "The HTML report needs the Python package Jinja2, which is not installed.",
        hint="Install it: pip install 'Jinja2>=3.1'.",
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict, WaiverUse

CHUNK = 64 * 1024
MAX_COLUMNS = 16
OTHERS = "other groups"
NO_GROUP = "no group"
LANE_WIDTH = 100.0
LANE_HEIGHT = 20.0

# The parts of the page's one script, each of which uses those before it.
SCRIPT = (
    *("elements", "data", "filters", "chart", "item", "details"),
    *("copying", "actions", "theme", "start"),
)

CLASSES = {
    Verdict.PASSED: "ok",
    Verdict.PASSED_WITH_WARNINGS: "warn",
    Verdict.BLOCKED: "block",
    Verdict.INCOMPLETE: "open",
    Verdict.ERROR: "error",
}
SIGNS = {"ok": "✓", "warn": "!", "block": "×", "open": "…", "error": "?"}
_FINDINGS = {
    Verdict.PASSED: "allowed",
    Verdict.PASSED_WITH_WARNINGS: "warning",
    Verdict.BLOCKED: "blocking",
    Verdict.INCOMPLETE: "incomplete",
    Verdict.ERROR: "in error",
}
_EFFECTS = {Effect.ALLOW: "allowed", Effect.WARN: "warning", Effect.BLOCK: "blocking"}


class HtmlReporter:
    """Writes one run as a page. Tasks go to a spool as they come; only their row is kept."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._context = open_spool()
        self._tasks = self._context.__enter__()
        self._data = Compactor()
        self._causes = Causes()
        self._rows: list[PageRow] = []

    def add_task(self, task: TaskVerdict) -> None:
        """Write the details of one task, and keep what its row shows."""
        separator = ",\n" if self._rows else ""
        self._tasks.write(separator + script_json(self._data.task(task)))
        self._causes.add(task)
        self._rows.append(row_of(task, len(self._rows)))

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the page around the tasks."""
        css, js = _part("report.css"), _script()
        columns = headings(self._rows)
        chunks = (
            _environment()
            .get_template("report.html.jinja")
            .generate(
                version=__version__,
                css=css,
                js=js,
                policy=_content_policy(css, js),
                page=_page(run, facts, self._rows),
                run=run,
                facts=facts,
                blocking=self._causes.against(run, Effect.BLOCK),
                warning=self._causes.against(run, Effect.WARN),
                left_out=self._causes.left_out,
                columns=columns,
                totals=totals(self._rows, columns) if len(self._rows) > 1 else [],
                rows=sorted(self._rows, key=lambda row: -row.task.verdict.severity),
                data=self._embedded(run),
            )
        )
        for chunk in chunks:
            self._out.write(chunk)
        self._context.__exit__(None, None, None)

    def _embedded(self, run: RunVerdict) -> Iterator[Markup]:
        """Yield the page's data as the text of a script element, without the whole in memory."""
        waivers = {waiver.id: waiver.days_left for waiver in run.waivers}
        head = script_json({**self._data.tables(), "waivers": waivers})
        yield Markup(f'{head[:-1]},"tasks":[\n')  # noqa: S704  # script_json escaped it
        self._tasks.seek(0)
        while chunk := self._tasks.read(CHUNK):
            yield Markup(chunk)  # noqa: S704  # script_json escaped it
        yield Markup("\n]}")


# The table of tasks by groups


@dataclass(frozen=True, slots=True)
class Cell:
    """The worst verdict in one group, the number of findings or tasks, and a text."""

    verdict: Verdict
    number: int
    words: str

    @property
    def worst(self) -> str:
        """The CSS class of the verdict."""
        return CLASSES[self.verdict]


@dataclass(frozen=True, slots=True)
class PageRow:
    """One task as the table shows it.

    Attributes:
        index: its number, from 0.
        task: the task without its findings.
        groups: how many findings about items it has, by group and verdict.
        own: how many findings about the task itself it has.
        waived: how many findings are waived.
        known: how many findings the baseline has.
    """

    index: int
    task: TaskVerdict
    groups: dict[str, Counter[Verdict]]
    own: Counter[Verdict]
    waived: int
    known: int

    @property
    def counts(self) -> str:
        """The numbers of its items, as a text."""
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
        """Yield the cell below each heading; None where the task has no finding there."""
        yield _cell(self.own)
        shown = set(columns)
        for column in columns:
            if column == OTHERS and column not in self.groups:
                rest = [tally for group, tally in self.groups.items() if group not in shown]
                yield _cell(sum(rest, Counter[Verdict]()))
            else:
                yield _cell(self.groups.get(column, Counter[Verdict]()))

    def lane(self, longest: float) -> str:
        """Return the points of the area below its progress, over ``longest`` seconds."""
        points = [
            (seconds / longest * LANE_WIDTH, (100 - done) / 100 * LANE_HEIGHT)
            for seconds, done in self.task.timeline
        ]
        area = [(points[0][0], LANE_HEIGHT), *points, (points[-1][0], LANE_HEIGHT)]
        return " ".join(f"{x:.4g},{y:.3g}" for x, y in area)

    @property
    def lane_style(self) -> str:
        """The CSS class of its progress: plain where the pre-check finished."""
        verdict = self.task.verdict
        finished = verdict.severity < Verdict.INCOMPLETE.severity
        return "plainly" if finished else CLASSES[verdict]

    def lane_words(self) -> str:
        """Return its progress as a text."""
        seconds, done = self.task.timeline[-1]
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
    waived = sum(bool(finding.waived_by) for finding in task.findings)
    known = sum(finding.known for finding in task.findings)
    return PageRow(index, replace(task, findings=()), groups, own, waived, known)


def headings(rows: Iterable[PageRow]) -> list[str]:
    """Return the groups that get a column: those with the most problems if there are too many."""
    problems: Counter[str] = Counter()
    for row in rows:
        for group, tally in row.groups.items():
            problems[group] += tally.total() - tally[Verdict.PASSED]
    groups = sorted(problems)
    if len(groups) > MAX_COLUMNS:
        groups = sorted(sorted(groups, key=lambda group: -problems[group])[: MAX_COLUMNS - 1])
        groups.append(OTHERS)
    return groups


def totals(rows: Iterable[PageRow], columns: Sequence[str]) -> list[Cell | None]:
    """Return for each heading how many tasks have problems there, and of which kind."""
    tallies: list[Counter[Verdict]] = [Counter() for _ in range(len(columns) + 1)]
    for row in rows:
        for tally, cell in zip(tallies, row.cells(columns), strict=True):
            if cell is not None and cell.verdict is not Verdict.PASSED:
                tally[cell.verdict] += 1
    return [_total(tally) for tally in tallies]


def _total(tally: Counter[Verdict]) -> Cell | None:
    if not tally:
        return None
    words = [
        f"{count(tally[verdict], 'task')} {LABELS[verdict].lower()}"
        for verdict in reversed(Verdict)
        if tally[verdict]
    ]
    return Cell(worst(tally), tally.total(), ", ".join(words))


def _cell(tally: Counter[Verdict]) -> Cell | None:
    if not tally:
        return None
    words = [
        f"{tally[verdict]} {_FINDINGS[verdict]}" for verdict in reversed(Verdict) if tally[verdict]
    ]
    return Cell(worst(tally), tally[worst(tally)], ", ".join(words))


# What is above and below the tasks


def _page(run: RunVerdict, facts: RunFacts, rows: Sequence[PageRow]) -> dict[str, Any]:
    """Return the template's values for the head and the foot of the page."""
    strip = [f"{facts.mode} of {facts.judged_on}"]
    if facts.policy:
        strip.append(f"policy {facts.policy}")
    if facts.seconds is not None:
        strip.append(f"took {duration(facts.seconds)}")
    strip.append(f"exit code {facts.exit_code}")
    longest = max((row.task.timeline[-1][0] for row in rows if row.task.timeline), default=0.0)
    return {
        "style": CLASSES[run.verdict],
        "label": LABELS[run.verdict],
        "sentence": headline(run),
        "advisory": facts.advisory and run.verdict is Verdict.BLOCKED,
        "segments": list(_segments(rows)),
        "strip": strip,
        "details": _details(run, facts),
        "longest": longest,
        "longest_words": duration(longest),
        "rows": {row.task.task_id: row for row in rows},
    }


def _details(run: RunVerdict, facts: RunFacts) -> list[tuple[str, str]]:
    numbers = [
        f"{run.items[effect]} {_EFFECTS[effect]}" for effect in Effect if run.items.get(effect)
    ]
    items = f"{sum(run.items.values())} ({', '.join(numbers)})" if numbers else "0"
    return [
        ("Tool", f"precheck-gate {__version__}"),
        *run_details(facts),
        ("Tasks requested", str(len(run.requested))),
        ("Items", items),
    ]


def _segments(rows: Sequence[PageRow]) -> Iterator[dict[str, Any]]:
    """Yield for each verdict the part that its tasks take of the bar."""
    numbers = Counter(row.task.verdict for row in rows)
    start = 0.0
    for verdict in reversed(Verdict):
        if numbers[verdict]:
            width = numbers[verdict] / len(rows) * 100
            yield {
                "verdict": verdict,
                "number": numbers[verdict],
                "start": f"{start:.4g}",
                "width": f"{width:.4g}",
            }
            start += width


def _waiver_class(waiver: WaiverUse) -> str:
    """Return the CSS class of a waiver: whether somebody has to look at it."""
    if waiver.state is WaiverState.EXPIRED:
        return "block"
    soon = waiver.days_left <= EXPIRY_NOTICE_DAYS
    return "warn" if waiver.state is WaiverState.UNUSED or soon else "ok"


# The template, its script and its style sheet


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("precheck_gate.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "CLASSES": CLASSES,
        "LABELS": LABELS,
        "SIGNS": SIGNS,
        "entry": catalog.load().entry,
        "gist": lambda data: clean_line(gist(data)),
        "one_line": one_line,
        "waiver_class": _waiver_class,
        "waiver_note": waiver_note,
    }
    return environment


def _part(name: str) -> Markup:
    """Return a part of the page that we wrote ourselves, as it is."""
    folder = resources.files(__package__).joinpath("templates")
    return Markup(folder.joinpath(name).read_text(encoding="utf-8"))  # noqa: S704  # our own


def _script() -> Markup:
    """Return the page's script: its parts share their names with each other and nobody else."""
    parts = Markup("\n").join(_part(f"script/{name}.js") for name in SCRIPT)
    return Markup('\n"use strict";\n(() => {\n') + parts + Markup("})();\n")


def _content_policy(css: str, js: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(js)}'",
            f"style-src '{_hash(css)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
