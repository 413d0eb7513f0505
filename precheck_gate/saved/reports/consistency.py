"""Whether a JSON report says what follows from itself: many hands may have been on it. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import RESERVED_CODES, ExitCode
from precheck_gate.model.snapshots import percent_of
from precheck_gate.model.verdicts import FindingKind, Verdict, effect_of, worst

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["contradictions"]


def contradictions(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what no report of ours says, such as verdicts that do not follow from findings.

    Args:
        report: one whose tasks and findings have the documented shape; what else it has to say of
            them, such as ``counts``, is checked where it is there.
    """
    tasks, own = report["tasks"], report.get("findings", [])
    for task in tasks:
        yield from _wrong_in_task(task)
    if Verdict(report["verdict"]) is not _worst_of([*tasks, *own]):
        yield "the verdict of the run does not follow from its tasks and findings"
    if Verdict(report["verdict"]).green and not tasks:
        yield "its verdict is green, but it has no task"
    if "requested" in report:
        yield from _wrong_tasks(report)
    if "counts" in report:
        yield from _wrong_counts(report["counts"], tasks)
    if "exit_code" in report and not _is_code_of(report):
        code = report["exit_code"]
        said = f" {code}" if isinstance(code, int) else ""  # no word of a file of another kind
        yield f"the exit code{said} does not follow from its verdict and options"
    for finding in own:
        yield from _wrong_in_finding(finding, of_run=True)


def _worst_of(parts: list[Mapping[str, Any]]) -> Verdict:
    return worst(Verdict(part["verdict"]) for part in parts)


def _wrong_in_task(task: Mapping[str, Any]) -> Iterator[str]:
    name, verdict = task["task"], Verdict(task["verdict"])
    if verdict is not _worst_of(task["findings"]):
        yield f"the verdict of task {name} does not follow from its findings"
    # Both as the service sent them, in their JSON form.
    if verdict.green and task.get("result", "true") != "true":
        yield f"task {name} is green, but its result is not true"
    if verdict.green and not _is_100(task.get("progress", "100")):
        yield f"task {name} is green, but its progress is not 100 %"
    for finding in task["findings"]:
        yield from _wrong_in_finding(finding, of_run=False)


def _is_100(progress: str) -> bool:
    try:
        value = strict_json.loads(progress.encode())
    except ValueError:
        return False
    return (percent_of(value) if isinstance(value, str) else value) == 100


def _wrong_in_finding(finding: Mapping[str, Any], *, of_run: bool) -> Iterator[str]:
    effect = effect_of(Verdict(finding["verdict"])).value
    if finding.get("effect", effect) != effect:
        yield f"the effect of {finding['title']} does not follow from its verdict"
    if (finding["kind"] == FindingKind.RUN.value) is not of_run:
        yield f"the finding {finding['title']} does not belong where it is"


def _wrong_tasks(report: Mapping[str, Any]) -> Iterator[str]:
    there = Counter(task["task"] for task in report["tasks"])
    if any(number > 1 for number in there.values()):
        yield "it has a task more than once"
    if there.keys() - set(report["requested"]):
        yield "it has a task that was not asked for"
    # A task that was not judged makes the run an error, with a finding of its own.
    if Verdict(report["verdict"]).green and set(report["requested"]) - there.keys():
        yield "its verdict is green, but it lacks a task that was asked for"


def _wrong_counts(counts: Any, tasks: list[Mapping[str, Any]]) -> Iterator[str]:
    said = counts if isinstance(counts, dict) else {}
    if said.get("tasks") != dict(Counter(task["verdict"] for task in tasks)):
        yield "the numbers of its tasks are not those of the tasks in it"
    of_items = Counter(
        effect_of(Verdict(finding["verdict"])).value
        for task in tasks
        for finding in task["findings"]
        if finding["kind"] != FindingKind.TASK.value
    )
    if said.get("findings") != dict(of_items):
        yield "the numbers of its findings are not those of the findings in it"


_SIGNALS = {"SIGINT": ExitCode.SIGINT, "SIGTERM": ExitCode.SIGTERM}
_LOST = (ExitCode.REPORT, ExitCode.BUG)  # instead of a code that lets the migration start


def _is_code_of(report: Mapping[str, Any]) -> bool:
    """Return whether a process whose report says all this may have ended with its exit code."""
    code = report["exit_code"]
    if not isinstance(code, int) or isinstance(code, bool):
        return False
    if signal := report.get("interrupted_by"):
        return signal in _SIGNALS and code == _SIGNALS[signal]
    match Verdict(report["verdict"]):
        case Verdict.PASSED:
            return code in (ExitCode.PASSED, *_LOST)
        case Verdict.PASSED_WITH_WARNINGS:
            # --warn-exit-code gives it any code that means nothing else.
            own = code in range(1, 126) and code not in RESERVED_CODES
            return own or code in (ExitCode.PASSED, *_LOST)
        case Verdict.BLOCKED if report.get("advisory") is True:
            return code in (ExitCode.PASSED, *_LOST)
        case Verdict.BLOCKED:
            return code == ExitCode.BLOCKED
        case Verdict.INCOMPLETE:
            return code == ExitCode.INCOMPLETE
        case Verdict.ERROR:
            # Without a task nothing was judged: the error may be one of usage.
            unusable = (ExitCode.USAGE,) if not report["tasks"] else ()
            return code in (ExitCode.SERVICE, ExitCode.BUG, *unusable)
