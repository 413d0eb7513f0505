"""The JSON report: complete, versioned (``schemas/report-1.json``), one finding a line.

Every other report can be made from it again: `precheck_gate.model.report` reads it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from precheck_gate.model import report as keys
from precheck_gate.model.json_values import to_json
from precheck_gate.model.verdicts import Effect, Verdict
from precheck_gate.reports.base import copy_spool, open_spool
from precheck_gate.runtime.version import __version__

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import Finding, RunFacts, RunVerdict, TaskVerdict


class JsonReporter:
    """Writes one run as JSON to a stream, the verdict first, tasks in the order they came."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._context = open_spool()
        self._tasks = self._context.__enter__()
        self._separator = "\n"

    def add_task(self, task: TaskVerdict) -> None:
        """Write one task with its findings."""
        head: dict[str, Any] = {"task": task.task_id}
        head |= {name: to_json(getattr(task, name)) for name in keys.TASK}
        head |= {name: value for name in keys.TASK_IF_KNOWN if (value := getattr(task, name))}
        self._tasks.write(f"{self._separator}    {_dump(head)[:-1]}, ")
        self._tasks.write(f'"findings": {_lines(task.findings, "      ")}}}')
        self._separator = ",\n"

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the run around the tasks."""
        self.write_to(self._out, run, facts)

    def write_to(self, out: TextIO, run: RunVerdict, facts: RunFacts) -> None:
        """Write the whole report; it may be written again, with other facts."""
        head: dict[str, Any] = {
            "format": keys.FORMAT,
            "format_version": keys.FORMAT_VERSION,
            "tool": {"name": "precheck-gate", "version": __version__},
            "verdict": run.verdict.value,
            **{name: getattr(facts, name) for name in keys.FACTS},
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
        out.write(f',\n  "waivers": {_dump(to_json(run.waivers))}')
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
    counts = {
        name: value for name in keys.SERVICE_IF_KNOWN if (value := getattr(facts, name)) is not None
    }
    return {name: getattr(facts, name) for name in keys.SERVICE} | counts


def _lines(findings: tuple[Finding, ...], indent: str) -> str:
    if not findings:
        return "[]"
    lines = ",\n".join(
        indent + _dump({"kind": one.kind.value, "effect": one.effect.value, **to_json(one)})
        for one in findings
    )
    return f"[\n{lines}\n{indent[:-2]}]"


_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
