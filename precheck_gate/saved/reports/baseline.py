"""The baseline: what an earlier report found already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import UsageError, unreadable
from precheck_gate.judgement.context import Redact, Redaction
from precheck_gate.model.verdicts import Verdict
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.saved.reports.consistency import contradictions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from precheck_gate.model.verdicts import TaskVerdict

__all__ = ["finding_identity", "identities", "load_baseline", "read_report"]

MAX_BYTES = 512 * 1024 * 1024


def read_report(path: Path, what: str) -> dict[str, Any]:
    """Return a JSON report of ours, its shape checked as far as it is used.

    Raises:
        UsageError: it cannot be read, is no such report, or contradicts itself.
    """
    try:
        report = strict_json.loads(read_file(path, MAX_BYTES))
    except OSError as error:
        raise unreadable(f"The {what}", path, error, hint="Check the path.") from None
    except ValueError as error:
        raise _refused(path, what, strict_json.complaint(error)) from None
    if not _is_report(report):
        raise _refused(path, what, "it is JSON of another kind")
    contradiction = next(contradictions(report), None)
    if contradiction is not None:
        raise _refused(path, what, contradiction)
    checked: dict[str, Any] = report
    return checked


def _refused(path: Path, what: str, reason: str) -> UsageError:
    said = clean_line(shorten(reason, 200))
    return UsageError(
        f"The {what} {path} is not a JSON report of precheck-gate: {said}.",
        hint="Give a file that --report json=FILE wrote, unchanged.",
    )


_TEXTS = (
    *("effect", "message", "group", "status", "failed_reason", "sub_task"),
    *("decided_by", "waived_by", "waived_until"),
)
_VERDICTS = frozenset(verdict.value for verdict in Verdict)


def _is_report(report: Any) -> bool:
    """Return whether all that is read of a report has the right type."""
    return (
        isinstance(report, dict)
        and report.get("format") == "precheck-gate/report"
        and report.get("format_version") == 1
        and _is_verdict(report.get("verdict"))
        and isinstance(report.get("tasks"), list)
        and all(map(_is_task, report["tasks"]))
        and _are_findings(report.get("findings", []))
        and isinstance(report.get("interrupted_by", ""), str)
        and _are_texts(report.get("requested", []))
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_task(task: Any) -> bool:
    return (
        isinstance(task, dict)
        and isinstance(task.get("task"), str)
        and all(isinstance(task.get(key, ""), str) for key in ("progress", "result"))
        and _is_verdict(task.get("verdict"))
        and _are_findings(task.get("findings"))
    )


def _are_findings(findings: Any) -> bool:
    return isinstance(findings, list) and all(
        isinstance(finding, dict)
        and _is_verdict(finding.get("verdict"))
        and all(isinstance(finding.get(key), str) for key in ("kind", "title"))
        and all(isinstance(finding.get(key, ""), str) for key in _TEXTS)
        for finding in findings
    )


def _is_verdict(value: Any) -> bool:
    return isinstance(value, str) and value in _VERDICTS


def finding_identity(task: str, finding: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what makes a reported finding the same as one in another report."""
    return (task, *(str(finding.get(key, "")) for key in _KEYS))


_KEYS = ("kind", "title", "sub_task", "status", "failed_reason")


def load_baseline(path: Path) -> frozenset[tuple[str, ...]]:
    """Return the identities of the findings that an earlier report had against its tasks.

    Each stands there with its reason and, for runs with ``--redact reasons``, without it. A report
    that was redacted itself does not tell reasons: what it has is known only to redacted runs.

    Raises:
        UsageError: it cannot be read, or is no such report.
    """
    report = read_report(path, "baseline")
    return _known(
        finding_identity(task["task"], finding)
        for task in report["tasks"]
        for finding in task["findings"]
        if finding["verdict"] != Verdict.PASSED.value
    )


def identities(tasks: Iterable[TaskVerdict]) -> frozenset[tuple[str, ...]]:
    """Return what `load_baseline` would return for the report of ``tasks``."""
    return _known(
        (
            task.task_id,
            finding.kind.value,
            finding.title,
            finding.sub_task,
            finding.status,
            finding.failed_reason,
        )
        for task in tasks
        for finding in task.findings
        if finding.verdict is not Verdict.PASSED
    )


_REDACTION = Redaction(Redact.REASONS)


def _known(found: Iterable[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    return frozenset(one for identity in found for one in (identity, _REDACTION.identity(identity)))
