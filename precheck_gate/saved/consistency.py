"""Checks that a JSON report agrees with itself, since it is a file that can be edited. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from precheck_gate.documents import strict_json
from precheck_gate.errors import RESERVED_CODES, ExitCode
from precheck_gate.model.report import UNSAID, counts_of
from precheck_gate.model.snapshots import percent_of
from precheck_gate.model.verdicts import FindingKind, Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precheck_gate.model.report import Report
    from precheck_gate.model.verdicts import Finding, TaskVerdict


def contradictions(report: Report) -> Iterator[str]:
    """Yield what is contradictory, such as a verdict that does not follow from the findings."""
    run, tasks = report.run, report.tasks
    for task in tasks:
        yield from _wrong_in_task(task)
    if run.verdict is not _worst_of([*tasks, *run.findings]):
        yield "the verdict of the run does not follow from its tasks and findings"
    if run.verdict.green and not tasks:
        yield "its verdict is green, but it contains no task"
    there = Counter(task.task_id for task in tasks)
    if any(number > 1 for number in there.values()):
        yield "it contains a task more than once"
    if there.keys() - set(run.requested):
        yield "it contains a task that was not requested"
    # A task that was not judged makes the run an error, with a finding of its own.
    if run.verdict.green and set(run.requested) - there.keys():
        yield "its verdict is green, but a requested task is missing"
    verdicts, effects = counts_of(tasks)
    if run.tasks != verdicts:
        yield "the counts of its tasks do not match the tasks in it"
    if run.items != effects:
        yield "the counts of its findings do not match the findings in it"
    if not _is_code_of(report):
        yield f"the exit code {report.facts.exit_code} does not follow from its verdict and options"
    yield from _misplaced(run.findings, of_run=True)


def _worst_of(parts: Iterable[TaskVerdict | Finding]) -> Verdict:
    return worst(part.verdict for part in parts)


def _wrong_in_task(task: TaskVerdict) -> Iterator[str]:
    if task.verdict is not _worst_of(task.findings):
        yield f"the verdict of task {task.task_id} does not follow from its findings"
    # Both as the service sent them, in their JSON form.
    if task.verdict.green and task.result != "true":
        yield f"task {task.task_id} is green, but its result is not true"
    if task.verdict.green and not _is_100(task.progress):
        yield f"task {task.task_id} is green, but its progress is not 100 %"
    yield from _misplaced(task.findings, of_run=False)


def _is_100(progress: str) -> bool:
    try:
        value = strict_json.loads(progress.encode())
    except ValueError:
        return False
    return (percent_of(value) if isinstance(value, str) else value) == 100


def _misplaced(findings: Iterable[Finding], *, of_run: bool) -> Iterator[str]:
    for finding in findings:
        if (finding.kind is FindingKind.RUN) is not of_run:
            yield f"the finding {finding.title} is in the wrong place"


_SIGNALS = {"SIGINT": ExitCode.SIGINT, "SIGTERM": ExitCode.SIGTERM}
_LOST = (ExitCode.REPORT, ExitCode.BUG)  # instead of a code that lets the migration start


def _is_code_of(report: Report) -> bool:
    """Return whether a process whose report says all this may have ended with its exit code."""
    code = report.facts.exit_code
    if code == UNSAID:
        return True
    if signal := report.facts.interrupted_by:
        return signal in _SIGNALS and code == _SIGNALS[signal]
    match report.run.verdict:
        case Verdict.PASSED:
            return code in (ExitCode.PASSED, *_LOST)
        case Verdict.PASSED_WITH_WARNINGS:
            # --warn-exit-code gives it any code that means nothing else.
            own = code in range(1, 126) and code not in RESERVED_CODES
            return own or code in (ExitCode.PASSED, *_LOST)
        case Verdict.BLOCKED if report.facts.advisory:
            return code in (ExitCode.PASSED, *_LOST)
        case Verdict.BLOCKED:
            return code == ExitCode.BLOCKED
        case Verdict.INCOMPLETE:
            return code == ExitCode.INCOMPLETE
        case Verdict.ERROR:
            # Without a task nothing was judged: the error may be one of usage.
            unusable = (ExitCode.USAGE,) if not report.tasks else ()
            return code in (ExitCode.SERVICE, ExitCode.BUG, *unusable)
