"""Read JSON reports back, and refuse one that contradicts itself."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import RESERVED_CODES, ExitCode, UsageError, unreadable
from precheck_gate.judgement.context import Redact, Redaction
from precheck_gate.model.report import UNSAID, check_kind, counts_of, decode_report
from precheck_gate.model.snapshots import percent_of
from precheck_gate.model.verdicts import FindingKind, Verdict, worst
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

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


MAX_BYTES = 512 * 1024 * 1024


def read_report(
    path: Path,
    what: str = "report",
    *,
    text: Callable[[str], str] | None = None,
    whole: bool = False,
) -> Report:
    """Return a JSON report of ours.

    Args:
        path: where it is.
        what: what it is called in messages.
        text: makes the texts in it safe to show.
        whole: whether to validate all of it against its schema, which takes much longer.

    Raises:
        UsageError: it cannot be read, is no such report, or contradicts itself.
    """
    try:
        return decoded(read_file(path, MAX_BYTES), text=text, whole=whole)
    except OSError as error:
        raise unreadable(f"The {what}", path, error, hint="Check the path.") from None
    except ValueError as error:
        said = clean_line(shorten(str(error), 300))
        raise UsageError(
            f"The {what} {path} is not a JSON report of precheck-gate: {said}.",
            hint="Give a file that --report json=FILE wrote, unchanged.",
        ) from None


def decoded(
    content: bytes, *, text: Callable[[str], str] | None = None, whole: bool = False
) -> Report:
    """Return the report that ``content`` is, as `read_report` does.

    Raises:
        ValueError: it is no such report, or contradicts itself.
    """
    try:
        value = strict_json.loads(content)
    except ValueError as error:
        raise ValueError(strict_json.complaint(error)) from None
    if text is not None:
        try:
            value = _plain(value, text)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
    if whole:
        _check(value)
    report = decode_report(value)
    if (contradiction := next(contradictions(report), None)) is not None:
        raise ValueError(contradiction)
    return report


def _plain(value: Any, text: Callable[[str], str]) -> Any:
    """Return JSON with the numbers and the safe texts that a report is written with."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [_plain(inner, text) for inner in value]
    if isinstance(value, dict):
        return {text(key): _plain(inner, text) for key, inner in value.items()}
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) < 1e15):
        raise ValueError("a number in it is too large")
    return value


def _check(value: Any) -> None:
    import jsonschema

    from precheck_gate.documents.validation import load_schema

    check_kind(value)
    schema = load_schema("report-1")
    error = next(jsonschema.Draft202012Validator(schema).iter_errors(value), None)
    if error is not None:
        raise ValueError(_explain(error))


def _explain(error: ValidationError) -> str:
    from precheck_gate.documents.yaml_document import spell_path

    place = spell_path(tuple(error.absolute_path))
    # Of these two the message has keys alone; a value may be that of a file of another kind.
    keys_alone = error.validator in ("required", "additionalProperties")
    message = shorten(error.message, 200) if keys_alone else f"wrong {error.validator}"
    return f"{message} (at {place})" if place else message


# As a baseline


def load_baseline(path: Path) -> frozenset[tuple[str, ...]]:
    """Return the identities of the findings that an earlier report had against its tasks.

    Raises:
        UsageError: as `read_report`.
    """
    return identities(read_report(path, "baseline").tasks)


def identities(tasks: Iterable[TaskVerdict]) -> frozenset[tuple[str, ...]]:
    """Return the identities of the findings against some tasks.

    Each is there with its reason and, for runs with ``--redact reasons``, without it. A report
    that was redacted itself has no reasons: its findings are known only to redacted runs.
    """
    redaction = Redaction(Redact.REASONS)
    found = [
        finding.identity(task.task_id)
        for task in tasks
        for finding in task.findings
        if finding.verdict is not Verdict.PASSED
    ]
    return frozenset([*found, *map(redaction.identity, found)])
