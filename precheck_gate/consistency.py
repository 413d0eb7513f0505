"""Whether a JSON report says what follows from itself: many hands may have been on it. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from precheck_gate.findings import FindingKind, Verdict, effect_of, worst

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["contradictions"]


def contradictions(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what no report of ours says: verdicts and counts that do not follow from findings.

    Args:
        report: one whose tasks and findings have the documented shape; what else it has to say of
            them, such as ``counts``, is checked where it is there.
    """
    tasks, own = report["tasks"], report.get("findings", [])
    for task in tasks:
        if Verdict(task["verdict"]) is not _worst_of(task["findings"]):
            yield f"the verdict of task {task['task']} does not follow from its findings"
    if Verdict(report["verdict"]) is not _worst_of([*tasks, *own]):
        yield "the verdict of the run does not follow from its tasks and findings"
    if "counts" in report:
        yield from _wrong_counts(report["counts"], tasks)
    for finding in [*own, *(one for task in tasks for one in task["findings"])]:
        effect = effect_of(Verdict(finding["verdict"])).value
        if finding.get("effect", effect) != effect:
            yield f"the effect of {finding['title']} does not follow from its verdict"


def _worst_of(parts: list[Mapping[str, Any]]) -> Verdict:
    return worst(Verdict(part["verdict"]) for part in parts)


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
