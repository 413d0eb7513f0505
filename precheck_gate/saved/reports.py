"""Reads JSON reports: to make other reports from them, as a baseline, or to compare them.

A report is a file that can be edited, so it must agree with itself.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import UsageError, unreadable
from precheck_gate.judgement.context import Redact, Redaction
from precheck_gate.model.report import check_kind, decode_report
from precheck_gate.model.verdicts import Verdict
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.saved.consistency import contradictions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

    from precheck_gate.model.report import Report
    from precheck_gate.model.verdicts import TaskVerdict

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

    Each stands there with its reason and, for runs with ``--redact reasons``, without it. A report
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
