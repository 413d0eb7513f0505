"""The Markdown report: short, for pull requests, chat and the summary of a CI job.

What others wrote is spelled so that no renderer takes it for markup: every character that could
begin something is a character reference, and what would be linked by itself loses its form. The
report is cut at whole entries and says what it left out; a table or a section is never torn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from precheck_gate.errors import UsageError
from precheck_gate.model.verdicts import Effect, FindingKind, Verdict, WaiverState
from precheck_gate.reports.base import MARKDOWN_BYTES, MARKDOWN_LEAST
from precheck_gate.reports.causes import Causes
from precheck_gate.reports.markdown.escaping import Budget, code, escape
from precheck_gate.reports.wording import LABELS, headline, how_it_came_about, percent, waiver_note
from precheck_gate.safetext.cleaning import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import Finding, RunFacts, RunVerdict, TaskVerdict, WaiverUse
    from precheck_gate.reports.causes import Cause

__all__ = ["MarkdownReporter"]

MAX_ROWS = 1_000
MAX_FOOT = 1_000

SIGNS = {
    Verdict.PASSED: "✅",
    Verdict.PASSED_WITH_WARNINGS: "⚠️",
    Verdict.BLOCKED: "⛔",
    Verdict.INCOMPLETE: "⏳",
    Verdict.ERROR: "❓",
}


class MarkdownReporter:
    """Writes one run as GitHub-flavoured Markdown to a stream.

    Args:
        out: where to write.
        max_bytes: the most that the report may have, in bytes of UTF-8.

    Raises:
        UsageError: ``max_bytes`` is too few to say anything.
    """

    def __init__(self, out: TextIO, *, max_bytes: int = MARKDOWN_BYTES) -> None:
        if max_bytes < MARKDOWN_LEAST:
            raise UsageError(
                f"{max_bytes} bytes are too few for a Markdown report.",
                hint=f"Give at least {MARKDOWN_LEAST}.",
            )
        self._out = out
        self._max_bytes = max_bytes
        self._causes = Causes()
        self._rows: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
        self._tasks = 0

    def add_task(self, task: TaskVerdict) -> None:
        """Take one task; of those that could not be shown only their number is kept."""
        self._tasks += 1
        self._causes.add(task)
        rows = self._rows[task.verdict]
        if len(rows) < MAX_ROWS:
            rows.append(_row(task))

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the verdict, then as much of the rest as fits, the most urgent first."""
        body = Budget(self._max_bytes)
        foot = _foot(facts)
        body.reserve(foot)
        body.write(_head(run, facts))
        blocking = self._causes.against(run, Effect.BLOCK)
        warning = self._causes.against(run, Effect.WARN)
        body.section("### What stands in the way\n\n", map(_blocking, blocking), "\n", "causes")
        self._table(body)
        body.details(
            f"{count(len(warning), 'warning cause')}", map(_warning, warning), "warning causes"
        )
        body.details(
            count(len(run.waivers), "waiver"), map(_waiver, _urgent(run.waivers)), "waivers"
        )
        body.details(count(len(run.remarks), "remark"), map(_remark, run.remarks), "remarks")
        self._out.write(body.text())
        self._out.write(foot)

    def _table(self, body: Budget) -> None:
        ordered = sorted(Verdict, key=lambda verdict: -verdict.severity)
        rows = [row for verdict in ordered for row in self._rows[verdict]]
        head = "| Task | Verdict | Blocking | Warnings | Allowed | Progress |\n"
        rule = "| :--- | :--- | ---: | ---: | ---: | ---: |\n"
        body.section(
            f"### Tasks\n\n{head}{rule}", rows, "\n", "tasks", unseen=self._tasks - len(rows)
        )


def _head(run: RunVerdict, facts: RunFacts) -> str:
    lines = [f"## {SIGNS[run.verdict]} {LABELS[run.verdict]}\n\n**{escape(headline(run))}.**"]
    if facts.advisory and run.verdict is Verdict.BLOCKED:
        lines.append(f" Advisory: the run exits {facts.exit_code} all the same.")
    if facts.interrupted_by:
        lines.append(f" Ended early by {escape(facts.interrupted_by, 20)}.")
    return "".join(lines) + "\n\n"


def _row(task: TaskVerdict) -> str:
    cells = [
        code(task.task_id, 80),
        f"{SIGNS[task.verdict]} {LABELS[task.verdict].lower()}",
        *(_number(task, effect) for effect in (Effect.BLOCK, Effect.WARN, Effect.ALLOW)),
        escape(percent(task.progress)) or "–",
    ]
    return f"| {' | '.join(cells)} |\n"


def _number(task: TaskVerdict, effect: Effect) -> str:
    items = (finding for finding in task.findings if finding.kind is not FindingKind.TASK)
    number = sum(finding.effect is effect for finding in items)
    return str(number) if number else "–"


def _blocking(cause: Cause) -> str:
    finding = cause.example
    lines = [f"- {SIGNS[finding.verdict]} {_what(cause)}{_where(cause)}\n"]
    if finding.raw_error:
        first = next(iter(finding.raw_error.strip().splitlines()), "")
        lines.append(f"  - Said: {escape(first, 200)}\n" if first else "")
    if finding.next_step:
        lines.append(f"  - **Next:** {escape(finding.next_step, 400)}\n")
    lines.append(f"  - Decided by {code(finding.decided_by, 160)}{_because(finding)}\n")
    return "".join(lines)


def _warning(cause: Cause) -> str:
    step = f" Next: {escape(cause.example.next_step, 300)}" if cause.example.next_step else ""
    return f"- {_what(cause)}{_where(cause)}{step}\n"


def _what(cause: Cause) -> str:
    finding = cause.example
    if not cause.of_an_item:
        return f"**{escape(finding.message, 300)}**"
    absent = "is not checked" if finding.kind is FindingKind.REQUIRED else "has no status"
    said = f"is {escape(finding.status, 80)}" if finding.status else absent
    reason = f" ({code(finding.failed_reason, 80)})" if finding.failed_reason else ""
    return f"**{code(finding.title, 80)}** {said}{reason}"


def _where(cause: Cause) -> str:
    if not cause.tasks:
        return ": of the run as a whole."
    named = ", ".join(code(task_id, 80) for task_id in cause.named[:3])
    more = f" and {cause.tasks - 3} more" if cause.tasks > 3 else ""
    marks = [
        f"{'' if number == cause.tasks else f'{number} '}{word}"
        for number, word in ((cause.waived, "waived"), (cause.known, "known"))
        if number
    ]
    marked = f" ({', '.join(marks)})" if marks else ""
    return f" in {count(cause.tasks, 'task')}{marked}: {named}{more}."


def _because(finding: Finding) -> str:
    return f": {escape(finding.reason, 200)}" if finding.reason else ""


def _urgent(waivers: Sequence[WaiverUse]) -> list[WaiverUse]:
    return sorted(
        waivers, key=lambda waiver: (waiver.state is not WaiverState.EXPIRED, waiver.days_left)
    )


def _waiver(waiver: WaiverUse) -> str:
    note = f", {waiver_note(waiver)}" if waiver_note(waiver) else ""
    until = f"until {escape(waiver.expires)}"
    if waiver.days_left >= 0:
        until += f" ({count(waiver.days_left, 'day')} left)"
    used = f"waived {count(waiver.used, 'finding')}"
    why = f"{escape(waiver.owner, 80)}: {escape(waiver.reason, 200)}"
    return f"- {code(waiver.id, 80)} {waiver.state.value}, {used}, {until}{note}. {why}\n"


def _remark(remark: str) -> str:
    return f"- {escape(remark, 300)}\n"


def _foot(facts: RunFacts) -> str:
    left_out = ("Policy's SHA-256", "Project")
    pairs = [
        f"{label.lower()} {escape(value, 60)}"
        for label, value in how_it_came_about(facts)
        if label not in left_out and (label, value) != ("Repeated after a fault", "0")
    ]
    foot = f"<sub>precheck-gate: {' · '.join(pairs)}</sub>\n"
    return foot if len(foot.encode("utf-8")) <= MAX_FOOT else "<sub>precheck-gate</sub>\n"
