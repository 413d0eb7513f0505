"""The Markdown report: short, for pull requests, chat and the summary of a CI job.

Text from others is escaped so that no renderer takes it for markup: every character that could
begin a construct is a character reference, and nothing is linked by itself. The report is cut at
whole entries and says what it left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from precheck_gate.errors import UsageError
from precheck_gate.model.verdicts import Effect, FindingKind, Verdict, WaiverState
from precheck_gate.reports.base import MARKDOWN_BYTES, MARKDOWN_LEAST
from precheck_gate.reports.causes import Causes
from precheck_gate.reports.wording import LABELS, headline, percent, run_details, waiver_note
from precheck_gate.safetext.cleaning import clean_line, count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict, WaiverUse
    from precheck_gate.reports.causes import Cause

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
    """Writes one run as GitHub-flavoured Markdown of at most ``max_bytes`` to a stream.

    Raises:
        UsageError: ``max_bytes`` is below `MARKDOWN_LEAST`.
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
        """Take one task; those beyond `MAX_ROWS` of a verdict are only counted."""
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
        body.section("### Blocking\n\n", map(_blocking, blocking), "\n", "causes")
        self._table(body)
        body.details(
            f"{count(len(warning), 'warning cause')}", map(_warning, warning), "warning causes"
        )
        waivers = sorted(
            run.waivers,
            key=lambda waiver: (waiver.state is not WaiverState.EXPIRED, waiver.days_left),
        )
        body.details(count(len(waivers), "waiver"), map(_waiver, waivers), "waivers")
        remarks = (f"- {escape(remark, 300)}\n" for remark in run.remarks)
        body.details(count(len(run.remarks), "remark"), remarks, "remarks")
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
        lines.append(f" Advisory: exits {facts.exit_code} although blocked.")
    if facts.interrupted_by:
        lines.append(f" Interrupted by {escape(facts.interrupted_by, 20)}.")
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
        lines.append(f"  - Raw error: {escape(first, 200)}\n" if first else "")
    if finding.next_step:
        lines.append(f"  - **Next:** {escape(finding.next_step, 400)}\n")
    because = f": {escape(finding.reason, 200)}" if finding.reason else ""
    lines.append(f"  - Decided by {code(finding.decided_by, 160)}{because}\n")
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
        return " (whole run)."
    named = ", ".join(code(task_id, 80) for task_id in cause.named[:3])
    more = f" and {cause.tasks - 3} more" if cause.tasks > 3 else ""
    marks = [
        f"{'' if number == cause.tasks else f'{number} '}{word}"
        for number, word in ((cause.waived, "waived"), (cause.known, "known"))
        if number
    ]
    marked = f" ({', '.join(marks)})" if marks else ""
    return f" in {count(cause.tasks, 'task')}{marked}: {named}{more}."


def _waiver(waiver: WaiverUse) -> str:
    note = f", {waiver_note(waiver)}" if waiver_note(waiver) else ""
    until = f"until {escape(waiver.expires)}"
    used = f"waived {count(waiver.used, 'finding')}"
    why = f"{escape(waiver.owner, 80)}: {escape(waiver.reason, 200)}"
    return f"- {code(waiver.id, 80)} {waiver.state.value}, {used}, {until}{note}. {why}\n"


def _foot(facts: RunFacts) -> str:
    left_out = ("Policy SHA-256", "Project")
    pairs = [
        f"{label.lower()} {escape(value, 60)}"
        for label, value in run_details(facts)
        if label not in left_out and (label, value) != ("Retries", "0")
    ]
    foot = f"<sub>precheck-gate: {' · '.join(pairs)}</sub>\n"
    return foot if len(foot.encode("utf-8")) <= MAX_FOOT else "<sub>precheck-gate</sub>\n"


# Escaping, and the limit on bytes

# Begins or ends a construct of Markdown or HTML within a line.
_ACTIVE = re.compile(r"[\\`*_{}\[\]<>|~^$&!]")

# At the beginning of a line: headings, lists, quotes, rules, code, commands of chat bots.
_FIRST = re.compile(r"[^\w\s]|[0-9](?=[0-9]*[.)])")

# Has no width, and no renderer looks for links, mentions or references across it.
_JOINER = "&#8203;"

# What renderers turn into links, notices and pictures by themselves, also where it was escaped:
# @name, #1, !1, GH-1, https://, www., example.com, :smile:, the hash of a commit.
_AUTOMATIC = re.compile(
    r"[@#!$%&~](?=\w)"
    r"|:(?=//|[a-z+-][\w+-]*:)"
    r"|\b(?:www(?=\.)|(?:mailto|xmpp|javascript|data)(?=:)|gh(?=-\d))"
    r"|(?<=\w)\.(?=(?:[a-z]{2}|biz|com|edu|gov|net|org|pro|web|xxx|aero|asia|coop|info|museum|name"
    r"|shop|xn--\w+|рф)\b)"
    r"|[0-9a-f]{6}(?=[0-9a-f]+(?![0-9A-Za-z]))",
    re.IGNORECASE,
)

_PLAIN_CODE = re.compile(r"[^`|\\\s](?:[^`|\\]*[^`|\\\s])?")


def escape(text: str, limit: int = 1_000) -> str:
    """Return one line of Markdown that reads as ``text`` and has no markup."""
    line = _bounded(text, limit)
    first = _FIRST.match(line)
    marked = _AUTOMATIC.sub(lambda match: f"{match.group()}\0", line[1:] if first else line)
    if first and _AUTOMATIC.match(line):
        return f"{_entity(first)}{_JOINER}{_spell(marked)}"
    return f"{_entity(first) if first else ''}{_spell(marked)}"


def code(text: str, limit: int = 1_000) -> str:
    """Return ``text`` as code, in which nothing is linked."""
    line = _bounded(text, limit)
    if _PLAIN_CODE.fullmatch(line):
        return f"`{line}`"
    return f"<code>{escape(text, limit)}</code>" if line else ""


def _spell(marked: str) -> str:
    return _ACTIVE.sub(_inactive, marked).replace("\0", _JOINER)


def _inactive(match: re.Match[str]) -> str:
    return _entity(match) if match.group() in "<>&" else f"\\{match.group()}"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def _bounded(text: str, limit: int) -> str:
    line = " ".join(clean_line(text.replace("\n", " ⏎ ")).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


class Budget:
    """Text of at most ``max_bytes`` of UTF-8, filled in order of urgency, in whole entries."""

    # The note about what was cut, and the ends of constructs, always fit in this.
    SLACK = 500

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes - self.SLACK
        self._parts: list[str] = []
        self._cut: list[str] = []

    def reserve(self, text: str) -> None:
        """Keep room for text that is written after everything else."""
        self._left -= _size(text)

    def write(self, text: str) -> None:
        """Write text that must not be cut."""
        self._left -= _size(text)
        self._parts.append(text)

    def section(
        self, head: str, entries: Iterable[str], tail: str, what: str, *, unseen: int = 0
    ) -> None:
        """Write a part with as many of its entries as fit; nothing if it has none."""
        kept: list[str] = []
        left = self._left - _size(head) - _size(tail)
        dropped = unseen
        for entry in entries:
            size = _size(entry)
            if dropped == unseen and size <= left:
                left -= size
                kept.append(entry)
            else:
                dropped += 1
        if kept:
            self._parts += [head, *kept, tail]
            self._left = left
        if dropped:
            self._cut.append(f"{dropped} of {dropped + len(kept)} {what}")

    def details(self, summary: str, entries: Iterable[str], what: str) -> None:
        """Write a part that is folded up."""
        head = f"<details><summary>{summary}</summary>\n\n"
        self.section(head, entries, "\n</details>\n\n", what)

    def text(self) -> str:
        """Return all parts, with a note about what was left out."""
        if not self._cut:
            return "".join(self._parts)
        note = f"**Cut to fit:** {'; '.join(self._cut)} left out. See the other reports.\n\n"
        return "".join([*self._parts, note])


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
