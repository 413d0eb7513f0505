"""The lines of the summary below a cause: where, what was said, why, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Verdict, WaiverState
from precheck_gate.reports.evidence import gist
from precheck_gate.reports.wording import EXPIRY_NOTICE_DAYS, one_line
from precheck_gate.runtime.console import Style
from precheck_gate.safetext.cleaning import clean_line, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.model.verdicts import Finding, WaiverUse
    from precheck_gate.reports.causes import Cause

__all__ = ["Line", "because", "cause_lines", "details", "waiver_line", "where"]

Line = list[tuple[str, str]]
"""A line of the terminal as (style, text), the style "" for none."""

MAX_NAMED = 3


def cause_lines(cause: Cause, *, alone: bool, verbose: bool) -> Iterator[Line]:
    """Yield what stands below the message of a cause.

    Args:
        cause: what was found, and in which tasks.
        alone: whether the run has one task at most, which then needs no name.
        verbose: whether each rule that was looked at is told.
    """
    finding = cause.example
    if cause.tasks and not alone:
        yield [("", where(cause))]
    if marks := _marks(cause):
        yield [("", marks)]
    if finding.verdict is not Verdict.PASSED:
        yield from _said(finding, "of the first" if cause.tasks > 1 else "")
    yield _faint(f"decided by: {finding.decided_by}{because(finding)}")
    if finding.waived_by:
        until = f"until {finding.waived_until}"
        yield [("", f"waived by: {finding.waived_by} {until}: {finding.waiver_reason}")]
    if verbose:
        yield from (_faint(f"looked at: {step}") for step in finding.trace)
    if finding.next_step and finding.verdict is not Verdict.PASSED:
        yield [(Style.STRONG, "next: "), ("", finding.next_step)]


def _said(finding: Finding, whose: str) -> Iterator[Line]:
    """Yield what the service said; ``whose`` where it may differ from task to task."""
    mark = f" {whose}" if whose else ""
    if finding.code and finding.code not in finding.message:
        yield [("", f"code: {finding.code}")]
    if finding.raw_error:
        yield [("", f"raw error{mark}: {one_line(finding.raw_error)}")]
    if finding.data:
        yield [("", f"evidence{mark}: {clean_line(gist(finding.data))}")]


def _faint(text: str) -> Line:
    return [(Style.FAINT, text)]


def details(finding: Finding) -> Iterator[str]:
    """Yield why an item is allowed."""
    yield f"decided by: {finding.decided_by}"
    yield from (f"looked at: {step}" for step in finding.trace)


def where(cause: Cause) -> str:
    """Return in which tasks a cause was found: the first by name, the others counted."""
    if cause.tasks == 1:
        return f"task {cause.named[0]}"
    named = cause.named[:MAX_NAMED]
    more = f" and {cause.tasks - len(named)} more" if cause.tasks > len(named) else ""
    return f"{cause.tasks} tasks: {', '.join(named)}{more}"


def _marks(cause: Cause) -> str:
    """Return what of it is not new, and whether its words differ between the tasks."""
    marks = []
    if cause.known or cause.example.known:
        every = cause.known >= cause.tasks
        marks.append("known" if every else f"known in {count(cause.known, 'task')}")
    if cause.varied:
        marks.append("the words differ from task to task")
    return f"({'; '.join(marks)})" if marks else ""


def because(finding: Finding) -> str:
    """Return the reason that the policy's author gave, in brackets."""
    return f" ({finding.reason})" if finding.reason else ""


def waiver_line(waiver: WaiverUse) -> str:
    """Return what has to be said of a waiver."""
    name = f"waiver {waiver.id} (owner {waiver.owner})"
    match waiver.state:
        case WaiverState.EXPIRED:
            return f"{name} expired on {waiver.expires} and waives no longer"
        case WaiverState.UNUSED:
            return f"{name} waived nothing; take it out of the policy?"
        case WaiverState.PENDING:
            return f"{name} does not waive yet"
        case WaiverState.USED if waiver.days_left <= EXPIRY_NOTICE_DAYS:
            return f"{name} expires in {count(waiver.days_left, 'day')}, on {waiver.expires}"
        case WaiverState.USED:
            return f"{name} holds for {count(waiver.days_left, 'more day')}, to {waiver.expires}"
