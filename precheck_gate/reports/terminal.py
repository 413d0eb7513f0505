"""The summary on the terminal and in the log: the verdict, the tasks, and what blocks or warns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Effect, Finding, FindingKind, TaskVerdict, Verdict
from precheck_gate.reports.causes import Causes, follows_from_items
from precheck_gate.reports.evidence import gist
from precheck_gate.reports.wording import LABELS, duration, headline, one_line, waiver_note
from precheck_gate.runtime.console import Style
from precheck_gate.safetext.cleaning import clean_line, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, WaiverUse
    from precheck_gate.reports.causes import Cause
    from precheck_gate.runtime.console import Console

Line = list[tuple[str, str]]
"""A line of the terminal as (style, text), the style "" for none."""

# Beyond these a person reads the report instead.
MAX_TASKS = 40
MAX_GREEN = 10  # of each green verdict, in a run of more tasks than MAX_TASKS
MAX_CAUSES = 25
MAX_DETAILS = 60
MAX_NAMED = 3

_STYLES = {Verdict.PASSED: Style.GOOD, Verdict.PASSED_WITH_WARNINGS: Style.WARNING}
_SECTIONS = (
    (Effect.BLOCK, "Blocking"),
    (Effect.WARN, "Warnings"),
    (Effect.ALLOW, "Allowed by the policy"),
)
_FROM_THE_WORST = sorted(Verdict, key=lambda verdict: -verdict.severity)


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
    allowed: tuple[Finding, ...]


class Summary:
    """Collects what a person has to read, and prints it at the end.

    Args:
        console: where to print.
        kind: how much to print.
        verbose: whether to list allowed items too, and the rules that were checked.
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
        # A small run shows each message; a large one shows findings that are alike once.
        self._exact = Causes(exact=True, accepted=True, bound=MAX_CAUSES * 4)
        self._alike = Causes(accepted=True)

    def add_task(self, task: TaskVerdict) -> None:
        """Take one task; beyond `MAX_TASKS` of a verdict it is only counted."""
        if self._kind is SummaryKind.NONE:
            return
        self._exact.add(task)
        self._alike.add(task)
        rows = self._rows[task.verdict]
        if len(rows) >= MAX_TASKS:
            self._left_out[task.verdict] += 1
            return
        allowed = [one for one in task.findings if one.verdict is Verdict.PASSED]
        kept = tuple(allowed[:MAX_DETAILS]) if self._verbose else ()
        name = f"  {task.name}" if task.name else ""
        rows.append(_Row(task.task_id, f"{_counts(task)}{name}", kept))

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
        if run.waivers:
            self._title("Waivers")
        for waiver in run.waivers:
            self._print([("", _waiver_line(waiver))], 2, 2)
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
        advisory = " (advisory: exits 0)" if softened else ""
        self._print([(style, word), ("", f"  {headline(run)}{advisory}")], hang=2)

    def _short(self, run: RunVerdict) -> None:
        causes, left_out = self._causes(run, Effect.BLOCK)
        for cause in causes:
            finding = cause.example
            style = _STYLES.get(finding.verdict, Style.BAD)
            place = f"  ({_where(cause)})" if len(run.requested) > 1 and cause.tasks else ""
            code = f" ({finding.code})" if finding.code not in finding.message else ""
            text = f"{self._sign(finding.verdict)} {finding.message}{code}"
            self._print([(style, text), (Style.FAINT, place)], 2, 2)
        self._more_causes(left_out)

    def _tasks(self) -> None:
        self._shorten_green()
        shown = [(verdict, row) for verdict in _FROM_THE_WORST for row in self._rows[verdict]]
        if shown:
            self._console.print_result("")
        longest = max((len(LABELS[verdict]) for verdict, _ in shown), default=0)
        for verdict in _FROM_THE_WORST:
            style, label = _STYLES.get(verdict, Style.BAD), LABELS[verdict].lower()
            for row in self._rows[verdict]:
                parts: Line = [
                    (style, self._sign(verdict)),
                    ("", f" {row.task_id}  "),
                    (style, label),
                    (Style.FAINT, f"{' ' * (longest - len(label))}  {row.counts}"),
                ]
                self._print(parts, 2, 2)
                for finding in row.allowed:
                    decided = _faint(f"  {finding.decided_by}{_reason(finding)}")
                    self._print([("", finding.message), *decided], 6, 2)
                    for step in finding.trace:
                        self._print(_faint(f"checked: {step}"), 8, 2)
            if self._left_out[verdict]:
                more = f"… and {count(self._left_out[verdict], 'more task')} {label}"
                self._print([(style, f"{more}; see the reports")], 2, 2)

    def _shorten_green(self) -> None:
        """Drop most green tasks of a large run, so that they do not hide what blocks."""
        if sum(map(len, self._rows.values())) + sum(self._left_out.values()) <= MAX_TASKS:
            return
        for verdict in (Verdict.PASSED, Verdict.PASSED_WITH_WARNINGS):
            self._left_out[verdict] += len(self._rows[verdict][MAX_GREEN:])
            del self._rows[verdict][MAX_GREEN:]

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
            group = _faint(f" [{finding.group}]") if finding.group else []
            text = f"{self._sign(finding.verdict)} {finding.message}"
            self._print([(style, text), *group], 2, 2)
            if cause.tasks and len(run.requested) > 1:
                self._print([("", _where(cause))], 6, 2)
            for line in _cause_lines(cause, verbose=self._verbose):
                self._print(line, 6, 2)
        self._more_causes(left_out)

    def _more_causes(self, left_out: int) -> None:
        if left_out:
            self._print([("", f"… and {count(left_out, 'more cause')}; see the reports")], 2, 2)

    def _facts(self, facts: RunFacts) -> None:
        policy = f"{facts.policy} (sha256 {facts.policy_digest[:12]})" if facts.policy else "none"
        pairs = [("policy", policy)]
        if facts.interrupted_by:
            pairs.append(("ended", f"early, by {facts.interrupted_by}"))
        if facts.seconds is not None:
            retries = f" ({facts.retries} retried)" if facts.retries else ""
            requests = count(facts.requests or 0, "request")
            pairs.append(("took", f"{duration(facts.seconds)}, {requests}{retries}"))
        if self._verbose and facts.waited is not None:
            sent = f"{facts.bytes_sent} B sent, {facts.bytes_received} B received"
            pairs.append(("network", f"{sent}, {facts.waited:.0f} s waited"))
        for label, text in pairs:
            self._print([(Style.FAINT, f"{label:<9}"), ("", text)], hang=9)


def _cause_lines(cause: Cause, *, verbose: bool) -> Iterator[Line]:
    """Yield the lines below the message of a cause and its tasks."""
    finding = cause.example
    passed = finding.verdict is Verdict.PASSED
    if marks := list(_marks(cause)):
        yield [("", f"({'; '.join(marks)})")]
    if not passed:
        yield from _said(finding, " (first task)" if cause.tasks > 1 else "")
    yield _faint(f"decided by: {finding.decided_by}{_reason(finding)}")
    if finding.waived_by:
        until = f"until {finding.waived_until}"
        yield [("", f"waived by: {finding.waived_by} {until}: {finding.waiver_reason}")]
    if verbose:
        yield from (_faint(f"checked: {step}") for step in finding.trace)
    if finding.next_step and not passed:
        yield [(Style.STRONG, "next: "), ("", finding.next_step)]


def _marks(cause: Cause) -> Iterator[str]:
    if cause.known or cause.example.known:
        everywhere = cause.known >= cause.tasks
        yield "known" if everywhere else f"known in {count(cause.known, 'task')}"
    if cause.varied:
        yield "messages differ between tasks"


def _said(finding: Finding, whose: str) -> Iterator[Line]:
    """Yield what the service said; ``whose`` if it may differ between tasks."""
    if finding.code and finding.code not in finding.message:
        yield [("", f"code: {finding.code}")]
    if finding.raw_error:
        yield [("", f"raw error{whose}: {one_line(finding.raw_error)}")]
    if finding.data:
        yield [("", f"evidence{whose}: {clean_line(gist(finding.data))}")]


def _faint(text: str) -> Line:
    return [(Style.FAINT, text)]


def _where(cause: Cause) -> str:
    """Return the tasks that have a cause: the first by name, the others counted."""
    if cause.tasks == 1:
        return f"task {cause.named[0]}"
    named = cause.named[:MAX_NAMED]
    more = f" and {cause.tasks - len(named)} more" if cause.tasks > len(named) else ""
    return f"{cause.tasks} tasks: {', '.join(named)}{more}"


def _reason(finding: Finding) -> str:
    return f" ({finding.reason})" if finding.reason else ""


def _waiver_line(waiver: WaiverUse) -> str:
    note = waiver_note(waiver) or f"waived {count(waiver.used, 'finding')}"
    return f"{waiver.id} (owner {waiver.owner}, until {waiver.expires}): {note}"


def _counts(task: TaskVerdict) -> str:
    """Count as the sections list it: what FAILED items lead to is not one more."""
    items = [finding for finding in task.findings if finding.kind is not FindingKind.TASK]
    blocking = [finding for finding in task.findings if finding.effect is Effect.BLOCK]
    if any(finding.effect is Effect.BLOCK for finding in items):
        blocking = [finding for finding in blocking if not follows_from_items(finding)]
    warning, allowed = (
        sum(finding.effect is effect for finding in items) for effect in (Effect.WARN, Effect.ALLOW)
    )
    parts = []
    if blocking:
        parts.append(f"{len(blocking)} blocking")
    if warning:
        parts.append(count(warning, "warning"))
    if allowed:
        parts.append(f"{allowed} allowed")
    return ", ".join(parts)
