"""The verdict in words, for the terminal and the log: what blocks comes first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Effect, Finding, FindingKind, TaskVerdict, Verdict
from precheck_gate.reports.causes import Causes, follows_from_items
from precheck_gate.reports.terminal.lines import (
    Line,
    because,
    cause_lines,
    details,
    waiver_line,
    where,
)
from precheck_gate.reports.wording import LABELS, duration, headline
from precheck_gate.runtime.console import Style
from precheck_gate.safetext.cleaning import count

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import RunFacts, RunVerdict
    from precheck_gate.reports.causes import Cause
    from precheck_gate.runtime.console import Console

__all__ = ["Summary", "SummaryKind"]

# Beyond these a person reads the report instead.
MAX_TASKS = 40
MAX_GREEN = 10  # of each green verdict, in a run of more tasks than MAX_TASKS
MAX_CAUSES = 25
MAX_DETAILS = 60

_STYLES = {Verdict.PASSED: Style.GOOD, Verdict.PASSED_WITH_WARNINGS: Style.WARNING}
_SECTIONS = (
    (Effect.BLOCK, "Blocking"),
    (Effect.WARN, "Warnings"),
    (Effect.ALLOW, "Allowed by the policy"),
)


class SummaryKind(Enum):
    """How much is printed at the end."""

    FULL = "full"
    SHORT = "short"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class _Row:
    """What is kept of a task."""

    task_id: str
    counts: str
    details: tuple[Finding, ...]


class Summary:
    """Collects what a person has to read, and prints it at the end.

    Args:
        console: where to print.
        kind: how much.
        verbose: whether allowed items are listed too.
    """

    def __init__(
        self,
        console: Console,
        *,
        kind: SummaryKind = SummaryKind.FULL,
        verbose: bool = False,
    ) -> None:
        self._console = console
        self._kind = kind
        self._verbose = verbose
        good, warning, self._bad = console.symbols(console.result)
        self._signs = {Verdict.PASSED: good, Verdict.PASSED_WITH_WARNINGS: warning}
        self._rows: dict[Verdict, list[_Row]] = {verdict: [] for verdict in Verdict}
        self._left_out = dict.fromkeys(Verdict, 0)
        # A small run is told to the letter; of a large one, what is alike is told once.
        self._exact = Causes(exact=True, accepted=True, bound=MAX_CAUSES * 4)
        self._alike = Causes(accepted=True)

    def add_task(self, task: TaskVerdict) -> None:
        """Take one task; beyond a bound it is only counted."""
        if self._kind is SummaryKind.NONE:
            return
        self._exact.add(task)
        self._alike.add(task)
        rows = self._rows[task.verdict]
        if len(rows) < MAX_TASKS:
            allowed = [one for one in task.findings if one.verdict is Verdict.PASSED]
            kept = tuple(allowed[:MAX_DETAILS]) if self._verbose else ()
            counts = f"{_counts(task)}{f'  {task.name}' if task.name else ''}"
            rows.append(_Row(task.task_id, counts, kept))
        else:
            self._left_out[task.verdict] += 1

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Print the verdict, the tasks from the worst to the best, and what decided."""
        if self._kind is SummaryKind.NONE:
            return
        if self._console.columns(self._console.result) is not None:
            # Below whatever the progress left on the same screen.
            self._console.print_result("")
        self._headline(run, facts)
        if self._kind is SummaryKind.SHORT:
            self._short(run)
            return
        self._tasks()
        for effect, title in _SECTIONS:
            self._section(run, effect, title)
        lines = [line for waiver in run.waivers if (line := waiver_line(waiver))]
        if lines:
            self._title("Waivers")
        for line in lines:
            self._print([("", line)], 2, 2)
        if run.remarks:
            self._console.print_result("")
        for remark in run.remarks:
            self._print([("", f"note: {remark}")], 0, 2)
        self._console.print_result("")
        self._facts(facts)

    def _print(self, parts: Line, indent: int = 0, hang: int = 0) -> None:
        self._console.print_parts(parts, indent=indent, hang=hang)

    def _title(self, text: str) -> None:
        self._console.print_result("")
        self._print([(Style.STRONG, text)])

    def _sign(self, verdict: Verdict) -> str:
        return self._signs.get(verdict, self._bad)

    def _headline(self, run: RunVerdict, facts: RunFacts) -> None:
        style = _STYLES.get(run.verdict, Style.BAD)
        word = f"{self._sign(run.verdict)} {LABELS[run.verdict].upper()}"
        softened = facts.advisory and run.verdict is Verdict.BLOCKED
        advisory = " (advisory: exits 0 all the same)" if softened else ""
        self._print([(style, word), ("", f"  {headline(run)}{advisory}")], hang=2)

    def _short(self, run: RunVerdict) -> None:
        causes, left_out = self._causes(run, Effect.BLOCK)
        for cause in causes:
            finding = cause.example
            style = _STYLES.get(finding.verdict, Style.BAD)
            place = f"  ({where(cause)})" if len(run.requested) > 1 and cause.tasks else ""
            code = f" ({finding.code})" if finding.code not in finding.message else ""
            text = f"{self._sign(finding.verdict)} {finding.message}{code}"
            self._print([(style, text), (Style.FAINT, place)], 2, 2)
        self._more(left_out, "cause")

    def _shorten_green(self) -> None:
        """In a large run, do not bury what blocks under what is well."""
        if sum(map(len, self._rows.values())) + sum(self._left_out.values()) <= MAX_TASKS:
            return
        for verdict in (Verdict.PASSED, Verdict.PASSED_WITH_WARNINGS):
            self._left_out[verdict] += len(self._rows[verdict][MAX_GREEN:])
            del self._rows[verdict][MAX_GREEN:]

    def _tasks(self) -> None:
        self._shorten_green()
        rows = [(verdict, row) for verdict in _from_the_worst() for row in self._rows[verdict]]
        if rows:
            self._console.print_result("")
        longest = max((len(LABELS[verdict]) for verdict, _ in rows), default=0)
        for verdict in _from_the_worst():
            style, label = _STYLES.get(verdict, Style.BAD), LABELS[verdict].lower()
            for row in self._rows[verdict]:
                parts: Line = [
                    (style, self._sign(verdict)),
                    ("", f" {row.task_id}  "),
                    (style, label),
                    (Style.FAINT, f"{' ' * (longest - len(label))}  {row.counts}"),
                ]
                self._print(parts, 2, 2)
                for finding in row.details:
                    self._print([("", f"{finding.message}{because(finding)}")], 6, 2)
                    for line in details(finding):
                        self._print([(Style.FAINT, line)], 8, 2)
            if self._left_out[verdict]:
                more = f"… and {count(self._left_out[verdict], 'more task')} {label}"
                self._print([(style, f"{more}; see the reports")], 2, 2)

    def _causes(self, run: RunVerdict, effect: Effect) -> tuple[list[Cause], int]:
        """Return the causes to print, and how many more there are."""
        causes = self._exact.against(run, effect)
        if self._exact.left_out or len(causes) > MAX_CAUSES:
            causes = self._alike.against(run, effect)
        return causes[:MAX_CAUSES], max(0, len(causes) - MAX_CAUSES)

    def _section(self, run: RunVerdict, effect: Effect, title: str) -> None:
        causes, left_out = self._causes(run, effect)
        if not causes:
            return
        self._title(title)
        for cause in causes:
            finding = cause.example
            style = _STYLES.get(finding.verdict, Style.BAD)
            group: Line = [(Style.FAINT, f" [{finding.group}]")] if finding.group else []
            text = f"{self._sign(finding.verdict)} {finding.message}"
            self._print([(style, text), *group], 2, 2)
            for line in cause_lines(cause, alone=len(run.requested) < 2, verbose=self._verbose):
                self._print(line, 6, 2)
        self._more(left_out, "cause")

    def _more(self, left_out: int, word: str) -> None:
        if left_out:
            self._print([("", f"… and {count(left_out, f'more {word}')}; see the reports")], 2, 2)

    def _facts(self, facts: RunFacts) -> None:
        policy = f"{facts.policy} (sha256 {facts.policy_digest[:12]})" if facts.policy else "none"
        pairs = [("policy", policy)]
        if facts.interrupted_by:
            pairs.append(("ended", f"early, by {facts.interrupted_by}"))
        if facts.seconds is not None:
            again = f", {facts.retries} of them again" if facts.retries else ""
            requests = count(facts.requests or 0, "request")
            pairs.append(("took", f"{duration(facts.seconds)}, {requests}{again}"))
        if self._verbose and facts.waited is not None:
            sent = f"{facts.bytes_sent} B sent, {facts.bytes_received} B received"
            pairs.append(("network", f"{sent}, {facts.waited:.0f} s waited"))
        for label, text in pairs:
            self._print([(Style.FAINT, f"{label:<9}"), ("", text)], hang=9)


def _from_the_worst() -> list[Verdict]:
    return sorted(Verdict, key=lambda verdict: -verdict.severity)


def _counts(task: TaskVerdict) -> str:
    words = (
        (Effect.BLOCK, "blocking"),
        (Effect.WARN, "warning"),
        (Effect.ALLOW, "allowed"),
    )
    numbers = [(_number(task, effect), word) for effect, word in words]
    return ", ".join(
        count(number, word) if word == "warning" else f"{number} {word}"
        for number, word in numbers
        if number
    )


def _number(task: TaskVerdict, effect: Effect) -> int:
    """Count as the sections list it: what a FAILED item leads to is not one thing more."""
    own = [finding for finding in task.findings if finding.effect is effect]
    items = [finding for finding in own if finding.kind is not FindingKind.TASK]
    if effect is not Effect.BLOCK:
        return len(items)
    return len([one for one in own if not (items and follows_from_items(one))])
