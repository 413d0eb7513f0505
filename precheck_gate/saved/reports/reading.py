"""Reads a JSON report back into the values it was written from, so that others can be made of it.

A report may have passed through many hands: it is checked against its published schema, its
verdicts must follow from its findings, and every text is made harmless again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import UsageError, unreadable
from precheck_gate.model.verdicts import (
    Effect,
    Finding,
    FindingKind,
    RunFacts,
    RunVerdict,
    TaskVerdict,
    Verdict,
    WaiverState,
    WaiverUse,
)
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.cleaning import clean, clean_line, shorten
from precheck_gate.saved.reports.consistency import contradictions

if TYPE_CHECKING:
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

__all__ = ["ReadReport", "read_back", "report_of"]

MAX_BYTES = 512 * 1024 * 1024
HINT = "Give a file that --report json=FILE wrote, unchanged."


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A report as values: all that the other formats are made from.

    Attributes:
        run: the verdict of the run.
        tasks: those of its tasks, in the order of the report.
        facts: how it came about.
        tool_version: the version of precheck-gate that wrote it.
    """

    run: RunVerdict
    tasks: tuple[TaskVerdict, ...]
    facts: RunFacts
    tool_version: str


def read_back(path: Path) -> ReadReport:
    """Return the report in a file.

    Raises:
        UsageError: it cannot be read, is no JSON report of ours, or contradicts itself.
    """
    try:
        content = read_file(path, MAX_BYTES)
    except OSError as error:
        raise unreadable("The report", path, error, hint="Check the path.") from None
    return report_of(content, str(path))


def report_of(content: bytes, name: str) -> ReadReport:
    """Return the report that ``content`` spells; ``name`` is for messages.

    Raises:
        UsageError: it is no JSON report of ours, or contradicts itself.
    """
    try:
        value = _plain(strict_json.loads(content))
    except ValueError as error:
        raise _refused(name, strict_json.complaint(error)) from None
    except RecursionError as error:
        raise _refused(name, str(error)) from None
    _check(value, name)
    contradiction = next(contradictions(value), None)
    if contradiction is not None:
        raise _refused(name, contradiction)
    return ReadReport(
        run=_run(value),
        tasks=tuple(map(_task, value["tasks"])),
        facts=_facts(value),
        tool_version=value["tool"]["version"],
    )


def _refused(name: str, reason: str) -> UsageError:
    said = clean_line(shorten(reason, 300))
    return UsageError(f"{name} is not a JSON report of precheck-gate: {said}.", hint=HINT)


def _plain(value: Any) -> Any:
    """Return JSON with the numbers and the harmless texts that a report is written with."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {clean(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) < 1e15):
        raise ValueError("a number in it is beyond reason")
    return value


def _check(value: Any, name: str) -> None:
    if not isinstance(value, dict) or value.get("format") != "precheck-gate/report":
        raise _refused(name, "it is JSON of another kind")
    version = value.get("format_version")
    if version != 1 or isinstance(version, bool):
        raise _refused(name, f"its format_version is {_shown(version)}, and known here is 1")
    import jsonschema

    from precheck_gate.documents.validation import load_schema

    schema = load_schema("report-1")
    error = next(jsonschema.Draft202012Validator(schema).iter_errors(value), None)
    if error is not None:
        raise _refused(name, _explain(error))


def _explain(error: ValidationError) -> str:
    from precheck_gate.documents.yaml_document import spell_path

    place = spell_path(tuple(error.absolute_path))
    # Of these two the message has keys alone; a value may be that of a file of another kind.
    keys_alone = error.validator in ("required", "additionalProperties")
    message = shorten(error.message, 200) if keys_alone else f"wrong {error.validator}"
    return f"{message} (at {place})" if place else message


def _shown(version: Any) -> str:
    return str(version) if isinstance(version, int) else "no number"


def _run(value: dict[str, Any]) -> RunVerdict:
    counts = value["counts"]
    return RunVerdict(
        verdict=Verdict(value["verdict"]),
        findings=tuple(map(_finding, value["findings"])),
        requested=tuple(value["requested"]),
        tasks={Verdict(name): number for name, number in counts["tasks"].items()},
        items={Effect(name): number for name, number in counts["findings"].items()},
        waivers=tuple(
            WaiverUse(**{**waiver, "state": WaiverState(waiver["state"])})
            for waiver in value["waivers"]
        ),
        remarks=tuple(value["remarks"]),
    )


def _task(value: dict[str, Any]) -> TaskVerdict:
    return TaskVerdict(
        task_id=value["task"],
        verdict=Verdict(value["verdict"]),
        findings=tuple(map(_finding, value["findings"])),
        progress=value["progress"],
        result=value["result"],
        direction=value["direction"],
        passed_rate=value["passed_rate"],
        instance_id=value["instance_id"],
        name=value.get("name", ""),
        engine=value.get("engine", ""),
        timeline=tuple((seconds, percent) for seconds, percent in value.get("timeline", ())),
    )


def _finding(value: dict[str, Any]) -> Finding:
    given = {name: text for name, text in value.items() if name != "effect"}
    given["kind"] = FindingKind(value["kind"])
    given["verdict"] = Verdict(value["verdict"])
    given["trace"] = tuple(value.get("trace", ()))
    return Finding(**given)


def _facts(value: dict[str, Any]) -> RunFacts:
    names = {field.name for field in fields(RunFacts)}
    return RunFacts(
        **{name: inner for name, inner in value.items() if name in names - {"policy"}},
        policy=value["policy"]["name"],
        policy_digest=value["policy"]["sha256"],
        **(value["service"] or {}),
    )
