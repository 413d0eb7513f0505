"""The words that the reports for people share: verdicts, counts, waivers, times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Verdict, WaiverState
from precheck_gate.safetext.cleaning import count, shorten

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import RunFacts, RunVerdict, WaiverUse

__all__ = [
    "EXPIRY_NOTICE_DAYS",
    "LABELS",
    "duration",
    "headline",
    "how_it_came_about",
    "one_line",
    "percent",
    "waiver_note",
]

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
    tasks = count(len(run.requested), "task")
    green = sum(number for verdict, number in run.tasks.items() if verdict.green)
    affected = run.tasks.get(run.verdict, 0)
    if run.verdict.green:
        warnings = f", {count(run.warnings, 'warning')}" if run.warnings else ""
        return f"{tasks} may start{warnings}"
    if not affected:
        return _of_the_run(run)
    match run.verdict:
        case Verdict.BLOCKED:
            words, others = f"{affected} of {tasks} must not start", "may"
        case Verdict.INCOMPLETE:
            words = f"{affected} of {tasks} did not reach a confirmed end of the pre-check"
            others = "may start"
        case _:
            words = f"No trustworthy answer for {affected} of {tasks}"
            others = "may start"
    return f"{words}; {green} {others}" if green else words


def _of_the_run(run: RunVerdict) -> str:
    """Return the sentence where no task is the cause."""
    match run.verdict:
        case Verdict.BLOCKED:
            return "The run as a whole must not start"
        case Verdict.INCOMPLETE:
            return "The run as a whole is incomplete" if run.tasks else "Nothing was judged"
        case _:
            return (
                "The run itself ended in an error" if run.requested else "Nothing could be judged"
            )


def how_it_came_about(facts: RunFacts) -> list[tuple[str, str]]:
    """Return labels and values that say by what, when and how the verdict was reached."""
    policy = facts.policy or "none could be loaded"
    pairs = [
        ("Command", facts.mode),
        ("Judged on", f"{facts.judged_on} (UTC)"),
        ("Exit code", str(facts.exit_code)),
        ("Ended early by", facts.interrupted_by),
        ("Policy", policy),
        ("Policy's SHA-256", facts.policy_digest),
        ("Endpoint", facts.endpoint),
        ("Project", facts.project_id),
        ("Started", facts.started_at),
        ("Took", duration(facts.seconds) if facts.seconds is not None else ""),
        ("Requests", "" if facts.requests is None else str(facts.requests)),
        ("Repeated after a fault", "" if facts.retries is None else str(facts.retries)),
    ]
    return [(label, value) for label, value in pairs if value]


def duration(seconds: float) -> str:
    """Return a length of time as people say it: ``10 s``, ``12 min 5 s``, ``2 h 3 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def one_line(raw_error: str) -> str:
    """Return a raw error on one line, cut where it is long."""
    return shorten(" ⏎ ".join(raw_error.splitlines()), MAX_RAW_ERROR)


def percent(progress: str) -> str:
    """Return what the service said of the progress, without the quotes of its JSON form."""
    bare = progress[1:-1] if len(progress) > 1 and progress[0] == progress[-1] == '"' else progress
    return shorten(bare, 24)


def waiver_note(waiver: WaiverUse) -> str:
    """Return what has to be done about a waiver, or nothing."""
    match waiver.state:
        case WaiverState.EXPIRED:
            return f"expired {count(-waiver.days_left, 'day')} ago and waives no longer"
        case WaiverState.UNUSED:
            return "waived nothing; take it out of the policy?"
        case WaiverState.PENDING:
            return "does not waive yet"
        case WaiverState.USED if waiver.days_left <= EXPIRY_NOTICE_DAYS:
            left = count(waiver.days_left, "day")
            return "last day" if waiver.days_left == 0 else f"expires in {left}"
        case WaiverState.USED:
            return ""
