"""The JSON report and the values it is written from (``schemas/report-1.json``).

It is complete: every other report can be made from it again. Each finding stands on a line.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TextIO

from precheck_gate import __version__
from precheck_gate.documents.json_values import from_json, to_json
from precheck_gate.model.effects import Effect
from precheck_gate.model.run_facts import RunFacts
from precheck_gate.model.verdicts import (
    Finding,
    FindingKind,
    RunVerdict,
    TaskVerdict,
    Verdict,
    WaiverUse,
)
from precheck_gate.reports.spool import copy_spool, open_spool

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "precheck-gate/report"
FORMAT_VERSION = 1
UNSAID = -1  # the exit code of a report that leaves it out

_FACTS = ("mode", "judged_on", "exit_code", "advisory", "interrupted_by")
_SERVICE = ("endpoint", "project_id", "started_at", "seconds", "requests", "retries")
_COUNTS = ("bytes_sent", "bytes_received", "waited")
_TASK = ("verdict", "progress", "result", "direction", "passed_rate", "instance_id")
_TASK_IF_KNOWN = ("name", "engine", "timeline")


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
        head |= {name: to_json(getattr(task, name)) for name in _TASK}
        head |= {name: value for name in _TASK_IF_KNOWN if (value := getattr(task, name))}
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
    counts = {name: value for name in _COUNTS if (value := getattr(facts, name)) is not None}
    return {name: getattr(facts, name) for name in _SERVICE} | counts


def _lines(findings: tuple[Finding, ...], indent: str) -> str:
    if not findings:
        return "[]"
    lines = ",\n".join(
        indent + _dump({"kind": one.kind.value, "effect": one.effect.value, **to_json(one)})
        for one in findings
    )
    return f"[\n{lines}\n{indent[:-2]}]"


_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Report:
    """A report as values: all that the other formats are made from.

    ``tool_version`` is the version of precheck-gate that wrote it.
    """

    run: RunVerdict
    tasks: tuple[TaskVerdict, ...]
    facts: RunFacts
    tool_version: str


def decode_report(value: Any) -> Report:
    """Return the report that a JSON document is. What it leaves out follows from the rest.

    Raises:
        ValueError: it is no such report.
    """
    check_kind(value)
    try:
        tasks = tuple(map(_task, value["tasks"]))
        return Report(_run(value, tasks), tasks, _facts(value), _tool_version(value))
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is another kind of JSON") from None


def check_kind(value: Any) -> None:
    """Raise ValueError unless a JSON document calls itself a report that can be read here."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError("it is another kind of JSON")
    version = value.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        said = version if isinstance(version, int) else "no number"
        raise ValueError(f"its format_version is {said}, but only {FORMAT_VERSION} is supported")


def counts_of(tasks: Iterable[TaskVerdict]) -> tuple[dict[Verdict, int], dict[Effect, int]]:
    """Return the number of tasks of each verdict, and of findings about items of each effect."""
    verdicts, effects = Counter[Verdict](), Counter[Effect]()
    for task in tasks:
        verdicts[task.verdict] += 1
        effects.update(one.effect for one in task.findings if one.kind is not FindingKind.TASK)
    return dict(verdicts), dict(effects)


def _run(value: dict[str, Any], tasks: tuple[TaskVerdict, ...]) -> RunVerdict:
    verdicts, effects = counts_of(tasks)
    if "counts" in value:
        counts = value["counts"] if isinstance(value["counts"], dict) else {}
        verdicts = from_json(dict[Verdict, int], counts.get("tasks", {}))
        effects = from_json(dict[Effect, int], counts.get("findings", {}))
    return RunVerdict(
        verdict=from_json(Verdict, value["verdict"]),
        findings=tuple(map(_finding, value.get("findings", ()))),
        requested=from_json(
            tuple[str, ...], value.get("requested", [task.task_id for task in tasks])
        ),
        tasks=verdicts,
        items=effects,
        waivers=from_json(tuple[WaiverUse, ...], value.get("waivers", [])),
        remarks=from_json(tuple[str, ...], value.get("remarks", [])),
    )


def _task(value: dict[str, Any]) -> TaskVerdict:
    given = {name: value[name] for name in (*_TASK, *_TASK_IF_KNOWN) if name in value}
    task = from_json(
        TaskVerdict,
        {"progress": "100", "result": "true", **given, "task_id": value["task"], "findings": []},
    )
    return replace(task, findings=tuple(map(_finding, value["findings"])))


_FINDING = tuple(field.name for field in fields(Finding))


def _finding(value: dict[str, Any]) -> Finding:
    given = {name: value[name] for name in _FINDING if name in value}
    finding = from_json(Finding, {"message": "", **given})
    if value.get("effect", finding.effect.value) != finding.effect.value:
        raise ValueError(f"the effect of {finding.title} does not follow from its verdict")
    return finding


def _facts(value: dict[str, Any]) -> RunFacts:
    code = value.get("exit_code", UNSAID)
    if not isinstance(code, int) or isinstance(code, bool):
        # Its content is not repeated: this may be quite another file.
        raise ValueError("the exit code is not a number, so it does not follow from the verdict")
    policy = from_json(dict[str, str], value.get("policy", {}))
    service = value.get("service") or {}
    given = {name: value[name] for name in _FACTS if name in value}
    return from_json(
        RunFacts,
        {"mode": "", "judged_on": "", **given, "exit_code": code}
        | {"policy": policy.get("name", ""), "policy_digest": policy.get("sha256", "")}
        | {name: service[name] for name in (*_SERVICE, *_COUNTS) if name in service},
    )


def _tool_version(value: dict[str, Any]) -> str:
    return from_json(dict[str, str], value.get("tool", {})).get("version", "")
