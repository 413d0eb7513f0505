"""A report as values, and read back from its JSON (``schemas/report-1.json``).

`precheck_gate.reports.json_report` writes that JSON. Pure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from precheck_gate.model.json_values import from_json
from precheck_gate.model.verdicts import (
    Effect,
    Finding,
    FindingKind,
    RunFacts,
    RunVerdict,
    TaskVerdict,
    Verdict,
    WaiverUse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "precheck-gate/report"
FORMAT_VERSION = 1
UNSAID = -1  # the exit code of a report that leaves it out

# Keys that have the names of fields. Those behind are there only where they say something.
FACTS = ("exit_code", "advisory", "mode", "judged_on", "interrupted_by")
SERVICE = ("endpoint", "project_id", "started_at", "seconds", "requests", "retries")
SERVICE_IF_KNOWN = ("bytes_sent", "bytes_received", "waited")
TASK = ("verdict", "progress", "result", "direction", "passed_rate", "instance_id")
TASK_IF_KNOWN = ("name", "engine", "timeline")


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
    given = {name: value[name] for name in (*TASK, *TASK_IF_KNOWN) if name in value}
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
    given = {name: value[name] for name in FACTS if name in value}
    return from_json(
        RunFacts,
        {"mode": "", "judged_on": "", **given, "exit_code": code}
        | {"policy": policy.get("name", ""), "policy_digest": policy.get("sha256", "")}
        | {name: service[name] for name in (*SERVICE, *SERVICE_IF_KNOWN) if name in service},
    )


def _tool_version(value: dict[str, Any]) -> str:
    return from_json(dict[str, str], value.get("tool", {})).get("version", "")
