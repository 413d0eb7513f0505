"""The JSON report: complete, versioned (``schemas/report-1.json``), one finding a line.

Every other report can be made from it again, and nothing of the verdict has to be asked again.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, TextIO

from precheck_gate.model.verdicts import Effect, Verdict
from precheck_gate.reports.spool import copy_spool, open_spool
from precheck_gate.runtime.version import __version__

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import Finding, RunFacts, RunVerdict, TaskVerdict

__all__ = ["FORMAT", "FORMAT_VERSION", "JsonReporter"]

FORMAT = "precheck-gate/report"
FORMAT_VERSION = 1

_TEXTS = (
    "group",
    "status",
    "failed_reason",
    "raw_error",
    "data",
    "sub_task",
    "code",
    "decided_by",
    "reason",
    "next_step",
    "waived_by",
    "waived_until",
    "waiver_reason",
)


_COUNTS = ("bytes_sent", "bytes_received", "waited")


class JsonReporter:
    """Writes one run as JSON to a stream, the verdict first, tasks in the order they came."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._context = open_spool()
        self._tasks = self._context.__enter__()
        self._separator = "\n"

    def add_task(self, task: TaskVerdict) -> None:
        """Write one task with its findings."""
        head: dict[str, Any] = {
            "task": task.task_id,
            "verdict": task.verdict.value,
            "progress": task.progress,
            "result": task.result,
            "direction": task.direction,
            "passed_rate": task.passed_rate,
            "instance_id": task.instance_id,
        }
        for name in ("name", "engine"):
            if text := getattr(task, name):
                head[name] = text
        if task.timeline:
            head["timeline"] = task.timeline
        self._tasks.write(f"{self._separator}    {_dump(head)[:-1]}, ")
        self._tasks.write(f'"findings": {_lines(task.findings, "      ")}}}')
        self._separator = ",\n"

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the run around the tasks."""
        self.write_to(self._out, run, facts)

    def write_to(self, out: TextIO, run: RunVerdict, facts: RunFacts) -> None:
        """Write the whole report; it may be written again, with other facts."""
        head: dict[str, Any] = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "tool": {"name": "precheck-gate", "version": __version__},
            "verdict": run.verdict.value,
            "exit_code": facts.exit_code,
            "advisory": facts.advisory,
            "mode": facts.mode,
            "judged_on": facts.judged_on,
            "interrupted_by": facts.interrupted_by,
            "policy": {"name": facts.policy, "sha256": facts.policy_digest},
            "requested": list(run.requested),
            "counts": {
                "tasks": {one.value: run.tasks[one] for one in Verdict if one in run.tasks},
                "findings": {one.value: run.items[one] for one in Effect if one in run.items},
            },
            "service": _service(facts),
        }
        out.writelines(
            f"{'{' if name == 'format' else ','}\n  {_dump(name)}: {_dump(value)}"
            for name, value in head.items()
        )
        waivers = [
            dataclasses.asdict(waiver) | {"state": waiver.state.value} for waiver in run.waivers
        ]
        out.write(f',\n  "waivers": {_dump(waivers)}')
        out.write(f',\n  "remarks": {_dump(list(run.remarks))}')
        out.write(f',\n  "findings": {_lines(run.findings, "    ")}')
        out.write(',\n  "tasks": [')
        copy_spool(self._tasks, out)
        out.write("\n  ]\n}\n")

    def close(self) -> None:
        """Give up what is needed to write the report again."""
        self._context.__exit__(None, None, None)


def _service(facts: RunFacts) -> dict[str, Any] | None:
    if not facts.started_at:
        return None
    keys = ("endpoint", "project_id", "started_at", "seconds", "requests", "retries")
    values = dataclasses.asdict(facts)
    counts = {key: values[key] for key in _COUNTS if values[key] is not None}
    return {**{key: values[key] for key in keys}, **counts}


def _lines(findings: tuple[Finding, ...], indent: str) -> str:
    if not findings:
        return "[]"
    lines = ",\n".join(indent + _dump(_finding(finding)) for finding in findings)
    return f"[\n{lines}\n{indent[:-2]}]"


def _finding(finding: Finding) -> dict[str, Any]:
    value: dict[str, Any] = {
        "kind": finding.kind.value,
        "effect": finding.effect.value,
        "verdict": finding.verdict.value,
        "title": finding.title,
        "message": finding.message,
    }
    for name in _TEXTS:
        text = getattr(finding, name)
        if text:
            value[name] = text
    if finding.known:
        value["known"] = True
    if finding.trace:
        value["trace"] = list(finding.trace)
    return value


_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
