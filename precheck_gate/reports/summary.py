"""The verdict in words, for the terminal and the log: what blocks comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.console import Style
from precheck_gate.evidence import gist
from precheck_gate.findings import (
    Finding,
    FindingKind,
    TaskVerdict,
    Verdict,
    WaiverState,
    WaiverUse,
)
from precheck_gate.policy.model import Effect
from precheck_gate.text import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precheck_gate.console import Console
    from precheck_gate.findings import RunVerdict
    from precheck_gate.reports.base import RunFacts

__all__ = ["Summary"]

# Beyond these a person reads the report instead.
MAX_TASKS = 40
MAX_FINDINGS = 25
EXPIRY_NOTICE_DAYS = 14

_WORDS = {
    Verdict.PASSED: "PASSED",
    Verdict.PASSED_WITH_WARNINGS: "PASSED WITH WARNINGS",
    Verdict.BLOCKED: "BLOCKED",
    Verdict.INCOMPLETE: "INCOMPLETE",
    Verdict.ERROR: "ERROR",
}


class Summary:
    """Collects what a person has to read, and prints it at the end.

    Args:
        console: where to print.
        details: whether allowed items are listed too.
    """

    def __init__(self, console: Console, *, details: bool = False) -> None:
        self._console = console
        self._details = details
        self._good, self._warning, self._bad = console.symbols(console.result)
        self._blocks: dict[Verdict, list[list[str]]] = {verdict: [] for verdict in Verdict}
        self._left_out = dict.fromkeys(Verdict, 0)

    def add_task(self, task: TaskVerdict) -> None:
        """Take one task; beyond a bound it is only counted."""
        blocks = self._blocks[task.verdict]
        if len(blocks) < MAX_TASKS:
            blocks.append(list(self._task(task)))
        else:
            self._left_out[task.verdict] += 1

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Print the verdict, the tasks from the worst to the best, and what decided."""
        self._print(self._headline(run, facts))
        for finding in run.findings:
            for line in self._finding(finding):
                self._print(f"  {line}")
        for verdict in sorted(Verdict, key=lambda one: -one.severity):
            for block in self._blocks[verdict]:
                for line in block:
                    self._print(f"  {line}")
            if self._left_out[verdict]:
                word = _WORDS[verdict].lower()
                self._print(f"  … and {self._left_out[verdict]} more tasks {word}; see the reports")
        for waiver in run.waivers:
            if line := _waiver_line(waiver):
                self._print(f"  {line}")
        for remark in run.remarks:
            self._print(f"  note: {remark}")
        self._print("")
        self._facts(facts)

    def _print(self, line: str) -> None:
        self._console.print_result(line)

    def _paint(self, verdict: Verdict, text: str) -> str:
        style = {Verdict.PASSED: Style.GOOD, Verdict.PASSED_WITH_WARNINGS: Style.WARNING}
        return self._console.paint(self._console.result, style.get(verdict, Style.BAD), text)

    def _faint(self, text: str) -> str:
        return self._console.paint(self._console.result, Style.FAINT, text)

    def _sign(self, verdict: Verdict) -> str:
        signs = {Verdict.PASSED: self._good, Verdict.PASSED_WITH_WARNINGS: self._warning}
        return signs.get(verdict, self._bad)

    def _headline(self, run: RunVerdict, facts: RunFacts) -> str:
        total = len(run.requested)
        green = sum(count for verdict, count in run.tasks.items() if verdict.green)
        tasks = "1 task" if total == 1 else f"{total} tasks"
        match run.verdict:
            case Verdict.PASSED | Verdict.PASSED_WITH_WARNINGS:
                words = f"{tasks} may start"
                if run.warnings:
                    words += f", {_count(run.warnings, 'warning')}"
            case Verdict.BLOCKED if run.tasks.get(Verdict.BLOCKED):
                words = f"{run.tasks[Verdict.BLOCKED]} of {tasks} must not start"
            case Verdict.BLOCKED:
                words = "the run as a whole must not start"
            case Verdict.INCOMPLETE if not total:
                words = "nothing was judged"
            case Verdict.INCOMPLETE:
                unknown = run.tasks.get(Verdict.INCOMPLETE, 0)
                words = f"{unknown} of {tasks} did not reach a confirmed end of the pre-check"
            case Verdict.ERROR if total:
                words = f"no trustworthy answer for {run.tasks.get(Verdict.ERROR, 0)} of {tasks}"
            case Verdict.ERROR:
                words = "nothing could be judged"
        if not run.verdict.green and green:
            words += f"; {green} may"
        word = self._paint(run.verdict, f"{self._sign(run.verdict)} {_WORDS[run.verdict]}")
        advisory = " (advisory: exits 0 all the same)" if _softened(run, facts) else ""
        return f"{word}  {words}{advisory}"

    def _task(self, task: TaskVerdict) -> Iterator[str]:
        counts = ", ".join(
            _count(number, word)
            for number, word in (
                (self._number(task, Effect.BLOCK), "blocking"),
                (self._number(task, Effect.WARN), "warning"),
                (self._number(task, Effect.ALLOW), "allowed"),
            )
            if number
        )
        sign = self._paint(task.verdict, self._sign(task.verdict))
        verdict = self._paint(task.verdict, _WORDS[task.verdict].lower())
        yield f"{sign} {task.task_id}  {verdict}  {self._faint(counts)}"
        shown = [finding for finding in task.findings if self._is_shown(finding)]
        shown.sort(key=lambda finding: -finding.verdict.severity)
        for finding in shown[:MAX_FINDINGS]:
            for line in self._finding(finding):
                yield f"    {line}"
        if len(shown) > MAX_FINDINGS:
            yield f"    … and {len(shown) - MAX_FINDINGS} more findings; see the reports"

    @staticmethod
    def _number(task: TaskVerdict, effect: Effect) -> int:
        return sum(
            finding.effect is effect
            for finding in task.findings
            if finding.kind is not FindingKind.TASK or effect is Effect.BLOCK
        )

    def _is_shown(self, finding: Finding) -> bool:
        return self._details or finding.verdict is not Verdict.PASSED or _raw_differs(finding)

    def _finding(self, finding: Finding) -> Iterable[str]:
        group = f" [{finding.group}]" if finding.group else ""
        allowed = " (allowed by the policy)" if _raw_differs(finding) else ""
        known = " (known)" if finding.known else ""
        yield self._paint(finding.verdict, f"{finding.message}{allowed}{known}") + self._faint(
            group
        )
        if finding.verdict is Verdict.PASSED:
            yield f"  {self._faint(f'decided by: {finding.decided_by}{_because(finding)}')}"
            return
        if finding.code and finding.code not in finding.message:
            yield f"  code: {finding.code}"
        if finding.raw_error:
            yield f"  raw error: {shorten(' ⏎ '.join(finding.raw_error.splitlines()), 300)}"
        if finding.data:
            yield f"  evidence: {clean_line(gist(finding.data))}"
        yield f"  {self._faint(f'decided by: {finding.decided_by}{_because(finding)}')}"
        if finding.waived_by:
            until = f"until {finding.waived_until}"
            yield f"  waived by: {finding.waived_by} {until}: {finding.waiver_reason}"
        if self._details:
            yield from (f"  {self._faint(f'looked at: {step}')}" for step in finding.trace)
        if finding.next_step:
            yield f"  next: {finding.next_step}"

    def _facts(self, facts: RunFacts) -> None:
        policy = f"{facts.policy} (sha256 {facts.policy_digest[:12]})" if facts.policy else "none"
        self._print(f"policy   {policy}")
        if facts.interrupted_by:
            self._print(f"ended    early, by {facts.interrupted_by}")
        if facts.seconds is not None:
            retries = f", {facts.retries} of them again" if facts.retries else ""
            requests = _count(facts.requests or 0, "request")
            self._print(f"took     {facts.seconds:.0f} s, {requests}{retries}")


def _count(number: int, word: str) -> str:
    plural = "s" if number != 1 and word in ("warning", "request") else ""
    return f"{number} {word}{plural}"


def _waiver_line(waiver: WaiverUse) -> str:
    """Return what has to be said of a waiver, or nothing."""
    name = f"waiver {waiver.id} (owner {waiver.owner})"
    match waiver.state:
        case WaiverState.EXPIRED:
            return f"{name} expired on {waiver.expires} and waives no longer"
        case WaiverState.UNUSED:
            return f"{name} waived nothing; take it out of the policy?"
        case WaiverState.PENDING:
            return f"{name} does not waive yet"
        case WaiverState.USED if waiver.days_left <= EXPIRY_NOTICE_DAYS:
            days = "1 day" if waiver.days_left == 1 else f"{waiver.days_left} days"
            return f"{name} expires in {days}, on {waiver.expires}"
        case WaiverState.USED:
            return ""


def _because(finding: Finding) -> str:
    return f" ({finding.reason})" if finding.reason else ""


def _raw_differs(finding: Finding) -> bool:
    """Return whether the policy allows what the service does not call PASSED."""
    return finding.verdict is Verdict.PASSED and finding.status not in ("", "PASSED")


def _softened(run: RunVerdict, facts: RunFacts) -> bool:
    return facts.advisory and run.verdict is Verdict.BLOCKED
