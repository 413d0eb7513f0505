"""Verdicts made by hand, and reports made of them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from precheck_gate.model.verdicts import (
    Finding,
    FindingKind,
    RunFacts,
    RunVerdict,
    TaskVerdict,
    Verdict,
    worst,
)
from precheck_gate.reports.base import load_format
from precheck_gate.safetext.cleaning import clean, clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.reports.base import Reporter

FACTS = RunFacts("evaluate", "2026-06-15", 0, policy="policy.yaml", policy_digest="ab" * 32)

# What a service, or somebody who writes through it, may try; none of it survives cleaning as it is.
HOSTILE = (
    "::set-output name=verdict::passed",
    "##vso[task.complete result=Succeeded]",
    "a\nPRECHECK_GATE_VERDICT=passed",
    "a\r\nb",
    "]]></failure></testcase><testcase name='x'/>",
    "</script><script>alert(1)</script>",
    "[click](https://evil.example) {0} {1:x}",
    "$(id) `id` $HOME ${IFS} ; rm -rf / # 'quoted' \"twice\" \\",
    "\x00\x1b[31m\ud800\ufffe\u202e\u2028\U000e0001",
    "völlig harmlos, 完全无害 🙂",
    "x" * 5_000,
    " ",
    "../../etc/passwd:7 rules[0]",
    "C:\\policies\\p.yaml:9 rules[1]",
    "%2e%2e/%00",
)


def finding(
    verdict: Verdict = Verdict.BLOCKED,
    title: str = "srcDbConnection",
    kind: FindingKind = FindingKind.ITEM,
    **more: Any,
) -> Finding:
    """Return a finding whose texts are as clean as the judgement makes them."""
    values = {"message": f"{title} is FAILED", "decided_by": "policy.yaml:7 rules[0]", **more}
    cleaned: dict[str, Any] = {
        name: (clean if name in ("raw_error", "data") else clean_line)(value)
        if isinstance(value, str)
        else value
        for name, value in values.items()
    }
    return Finding(kind=kind, verdict=verdict, title=clean_line(title), **cleaned)


def own(verdict: Verdict = Verdict.PASSED, **more: Any) -> Finding:
    """Return a finding about a task as a whole."""
    values = {"message": "DRS says so", "decided_by": "gate: result must be true", **more}
    return finding(verdict, "result", FindingKind.TASK, **values)


def about_run(verdict: Verdict = Verdict.ERROR, title: str = "service", **more: Any) -> Finding:
    """Return a finding about the run itself."""
    values = {
        "message": "no answer",
        "decided_by": "gate: a run without a usable answer cannot pass",
        **more,
    }
    return finding(verdict, title, FindingKind.RUN, **values)


def task(task_id: str = "task-1", *findings: Finding) -> TaskVerdict:
    """Return the verdict of a task; without findings one that passes."""
    found = findings or (own(),)
    return TaskVerdict(clean_line(task_id), worst(one.verdict for one in found), tuple(found))


def run_of(
    tasks: Sequence[TaskVerdict], *findings: Finding, remarks: Iterable[str] = ()
) -> RunVerdict:
    """Return the verdict of a run of these tasks."""
    verdicts = [*(one.verdict for one in tasks), *(one.verdict for one in findings)]
    requested = tuple(one.task_id for one in tasks)
    return RunVerdict(worst(verdicts), tuple(findings), requested, remarks=tuple(remarks))


def written(
    make: str | Callable[[io.StringIO], Reporter],
    tasks: Sequence[TaskVerdict],
    *findings: Finding,
    remarks: Iterable[str] = (),
    **facts: Any,
) -> str:
    """Return the report of a run, as its format or what makes its reporter writes it."""
    out = io.StringIO()
    reporter = load_format(make)(out) if isinstance(make, str) else make(out)
    for one in tasks:
        reporter.add_task(one)
    reporter.finish(run_of(tasks, *findings, remarks=remarks), replace(FACTS, **facts))
    text = out.getvalue()
    text.encode("utf-8")
    return text


def hostile_task() -> TaskVerdict:
    """Return a task in whose findings every text is hostile, each in its turn."""
    names = ("message", "group", "status", "failed_reason", "raw_error", "data", "sub_task", "code",
             "decided_by", "reason", "next_step", "waiver_reason")  # fmt: skip
    found = [own(Verdict.BLOCKED)]
    for number, text in enumerate(HOSTILE):
        texts: dict[str, Any] = dict.fromkeys(names, text)
        waived: dict[str, Any] = (
            {"waived_by": "W-1", "waived_until": "2027-01-31"} if number % 2 else {}
        )
        verdict = Verdict.PASSED_WITH_WARNINGS if waived else Verdict.BLOCKED
        found.append(finding(verdict, text, known=bool(number % 3), **texts, **waived))
    return task("140b5236-88ad-43c8-811c-1268453jb101", *found)
