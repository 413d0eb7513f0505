"""The texts that the reports for people share: verdicts, run details, waivers, times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Verdict, WaiverState
from precheck_gate.safetext.cleaning import count, shorten

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import RunFacts, RunVerdict, WaiverUse

EXPIRY_NOTICE_DAYS = 14
MAX_RAW_ERROR = 300

LABELS = {
    Verdict.PASSED: "Passed",
    Verdict.PASSED_WITH_WARNINGS: "Passed with warnings",
    Verdict.BLOCKED: "Blocked",
    Verdict.INCOMPLETE: "Incomplete",
    Verdict.ERROR: "Error",
}


def headline(run: RunVerdict) -> str:
    """Return the one sentence that says whether the migration may start."""
    number = len(run.requested)
    if run.verdict.green:
        warnings = f", {count(run.warnings, 'warning')}" if run.warnings else ""
        return f"{count(number, 'task')} may start{warnings}"
    affected = run.tasks.get(run.verdict, 0)
    if not affected:
        return _run_headline(run)
    match run.verdict:
        case Verdict.BLOCKED:
            text, others = f"{affected} of {count(number, 'task')} must not start", "may"
        case Verdict.INCOMPLETE:
            text = f"No confirmed result for {affected} of {count(number, 'pre-check')}"
            others = "may start"
        case _:
            text = f"No reliable result for {affected} of {count(number, 'task')}"
            others = "may start"
    # What speaks against the run as a whole stops the green tasks too.
    green = sum(tasks for verdict, tasks in run.tasks.items() if verdict.green)
    free = all(finding.verdict.green for finding in run.findings)
    return f"{text}; {green} {others}" if green and free else text


def _run_headline(run: RunVerdict) -> str:
    """Return the sentence where no task is the cause."""
    match run.verdict:
        case Verdict.BLOCKED:
            return "The run is blocked, although no task is"
        case Verdict.INCOMPLETE:
            return "The run is incomplete" if run.tasks else "No task was judged"
        case _:
            return "The run failed" if run.requested else "No task could be judged"


def run_details(facts: RunFacts) -> list[tuple[str, str]]:
    """Return labels and values that say by what, when and how the verdict was reached."""
    pairs = [
        ("Command", facts.mode),
        ("Judged on", f"{facts.judged_on} (UTC)"),
        ("Exit code", str(facts.exit_code)),
        ("Interrupted by", facts.interrupted_by),
        ("Policy", facts.policy or "none loaded"),
        ("Policy SHA-256", facts.policy_digest),
        ("Endpoint", facts.endpoint),
        ("Project", facts.project_id),
        ("Started", facts.started_at),
        ("Took", duration(facts.seconds) if facts.seconds is not None else ""),
        ("Requests", "" if facts.requests is None else str(facts.requests)),
        ("Retries", "" if facts.retries is None else str(facts.retries)),
    ]
    return [(label, value) for label, value in pairs if value]


def duration(seconds: float) -> str:
    """Return a duration for people: ``10 s``, ``12 min 5 s``, ``2 h 3 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def one_line(raw_error: str) -> str:
    """Return a raw error on one line, cut if it is long."""
    return shorten(" ⏎ ".join(raw_error.splitlines()), MAX_RAW_ERROR)


def percent(progress: str) -> str:
    """Return the progress that the service sent, without the quotes of its JSON form."""
    bare = progress[1:-1] if len(progress) > 1 and progress[0] == progress[-1] == '"' else progress
    return shorten(bare, 24)


def waiver_note(waiver: WaiverUse) -> str:
    """Return what somebody should know or do about a waiver, or ""."""
    match waiver.state:
        case WaiverState.EXPIRED:
            return f"expired {count(-waiver.days_left, 'day')} ago"
        case WaiverState.UNUSED:
            return "waived nothing; remove it from the policy?"
        case WaiverState.PENDING:
            return "not active yet"
        case WaiverState.USED if waiver.days_left == 0:
            return "expires today"
        case WaiverState.USED if waiver.days_left <= EXPIRY_NOTICE_DAYS:
            return f"expires in {count(waiver.days_left, 'day')}"
        case WaiverState.USED:
            return ""
