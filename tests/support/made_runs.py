"""Runs to report: waves of tasks of every verdict, and one with hostile text in every field."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from precheck_gate.judgement.run import exit_code
from precheck_gate.model.verdicts import (
    Finding,
    FindingKind,
    RunFacts,
    RunVerdict,
    TaskVerdict,
    Verdict,
    WaiverState,
    WaiverUse,
    worst,
)
from precheck_gate.reports.base import load_format
from precheck_gate.safetext.cleaning import clean
from tests.support.harness import task_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import Effect

GROUPS = ("network", "db_params", "db_version", "db_user_privilege", "db_disk_size")
FACTS = RunFacts(
    mode="run",
    judged_on="2026-06-15",
    exit_code=1,
    policy="precheck-policy.yaml",
    policy_digest="8e2f18c2e234b8f6c606caada1f6001a91dd6df47dce9cfc1a9d8211bf35ec90",
    started_at="2026-06-15T19:58:36+00:00",
    seconds=412.4,
    endpoint="https://drs.eu-west-101.myhuaweicloud.com",
    project_id="054ba152d480d55b2f5dc0069e7ddef0",
    requests=187,
    retries=3,
)
WAIVERS = (
    WaiverUse(
        *("W-17", "dba-team", "single shard by design", "OPS-4711", "policy.yaml:9 waivers[0]"),
        expires="2026-06-24",
        days_left=9,
        state=WaiverState.USED,
        used=1,
    ),
    WaiverUse(
        *("W-09", "dba-team", "left over", "", "policy.yaml:14 waivers[1]"),
        expires="2026-05-01",
        days_left=-45,
        state=WaiverState.EXPIRED,
        used=0,
    ),
)


def run_of(tasks: Sequence[TaskVerdict], *findings: Finding, **more: Any) -> RunVerdict:
    """Return the verdict that follows from some tasks and findings."""
    by_verdict: dict[Verdict, int] = {}
    by_effect: dict[Effect, int] = {}
    for task in tasks:
        by_verdict[task.verdict] = by_verdict.get(task.verdict, 0) + 1
        for one in task.findings:
            if one.kind is not FindingKind.TASK:
                by_effect[one.effect] = by_effect.get(one.effect, 0) + 1
    parts = [*(task.verdict for task in tasks), *(finding.verdict for finding in findings)]
    return RunVerdict(
        verdict=worst(parts),
        findings=findings,
        requested=tuple(task.task_id for task in tasks),
        tasks=by_verdict,
        items=by_effect,
        **more,
    )


def task_of(number: int, *findings: Finding, **more: Any) -> TaskVerdict:
    """Return a task with the verdict that follows from its findings."""
    return TaskVerdict(task_id(number), worst(one.verdict for one in findings), findings, **more)


def item(name: str, verdict: Verdict = Verdict.PASSED, **more: Any) -> Finding:
    """Return a finding about an item."""
    status = {Verdict.PASSED: "PASSED", Verdict.BLOCKED: "FAILED"}.get(verdict, "ALARM")
    more = {"group": "network", "decided_by": "policy.yaml:5 statuses", "status": status, **more}
    return Finding(FindingKind.ITEM, verdict, name, f"{name} is {status}", **more)


def own(verdict: Verdict, message: str = "DRS says that the task may start") -> Finding:
    """Return a finding about a task itself."""
    return Finding(
        *(FindingKind.TASK, verdict, "result", message),
        decided_by="gate: result must be true",
        next_step="" if verdict is Verdict.PASSED else "Look at the task.",
    )


def wave(tasks: int, items: int = 40) -> tuple[RunVerdict, list[TaskVerdict]]:
    """Return a run with tasks of all verdicts, of which every tenth or so has some trouble."""
    made = [_one_of_many(number, items) for number in range(tasks)]
    return run_of(made, waivers=WAIVERS, remarks=("count is 3, but there are 2 results",)), made


def _one_of_many(number: int, items: int) -> TaskVerdict:
    timeline = tuple((float(step * (3 + number % 7)), step * 20.0) for step in range(6))
    found = [
        item(f"check{at:02d}", group=GROUPS[at % len(GROUPS)], data=f'{{"size":"{number}"}}')
        for at in range(items - 2)
    ]
    found.append(item("dstDbDiskSize", _every(number, 5, Verdict.PASSED_WITH_WARNINGS)))
    binlog = _every(number, 9, Verdict.BLOCKED)
    found.append(
        item(
            *("srcDbBinlogIsOff", binlog),
            group="db_params",
            failed_reason="SRC_DB_BINLOG_IS_OFF" if binlog is Verdict.BLOCKED else "",
            data='{"colls":"a.b,a.c,a.d,a.e,a.f,a.g"}',
            next_step="On the source: Switch the binlog on.",
            trace=("policy.yaml:3 rules[0]: does not match (item)",),
        )
    )
    refused = binlog is Verdict.BLOCKED
    result = own(Verdict.BLOCKED, "DRS says no (result: false)") if refused else own(Verdict.PASSED)
    if number % 31 == 7:
        result, timeline = own(Verdict.INCOMPLETE, "the pre-check is at 60 %"), timeline[:4]
    if number % 41 == 8:
        return task_of(number, own(Verdict.ERROR, "the task does not exist"))
    said = {"progress": '"100%"', "result": "true", "direction": "up", "passed_rate": "97%"}
    return task_of(number, result, *found, timeline=timeline, **said)


def _every(number: int, nth: int, verdict: Verdict) -> Verdict:
    return verdict if number % nth == 3 else Verdict.PASSED


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script><!--",
    '</script x="',
    "<!-- <script ",
    "' onmouseover='alert(1)' x='",
    "<svg onload=alert(1)><a href='javascript:alert(1)'>x</a>",
    "</style><style>@import url(https://evil.example/x.css);</style>",
    "{{ 7*7 }}{% raw %}${alert(1)}`&lt;b&gt;]]>",
    "__proto__",
    "constructor",
)


def hostile(*payloads: str) -> tuple[RunVerdict, list[TaskVerdict], RunFacts]:
    """Return a run in which every text is a payload, behind the name of its field.

    There is a task and a waiver for each payload; what the run has once gets all of them.
    """
    tasks = [_hostile_task(payload) for payload in payloads]
    everything = " ".join(payloads)
    waivers = [
        WaiverUse(**_texts(WaiverUse, payload), days_left=3, state=WaiverState.USED, used=1)
        for payload in payloads
    ]
    run = run_of(
        tasks,
        Finding(FindingKind.RUN, Verdict.ERROR, **_texts(Finding, everything)),
        waivers=tuple(waivers),
        remarks=(clean(f"remark {everything}"),),
    )
    facts = RunFacts(**_texts(RunFacts, everything), exit_code=4, seconds=3.0, requests=1)
    return run, tasks, facts


def _texts(of: type[Any], payload: str) -> dict[str, Any]:
    # The names of what every object has are hostile only where they stand alone.
    bare = payload.isidentifier()
    return {
        one.name: clean(payload if bare else f"{one.name} {payload}")
        for one in fields(of)
        if one.type == "str"
    }


def _hostile_task(payload: str) -> TaskVerdict:
    data = f"{{'data {payload}': ['one {payload}', 2, 3, 4]}}" if "'" not in payload else payload
    texts = {**_texts(Finding, payload), "data": clean(data)}
    found = [
        Finding(kind, verdict, **texts, trace=(f"trace {payload}",), known=True)
        for kind, verdict in (
            (FindingKind.ITEM, Verdict.BLOCKED),
            (FindingKind.SUB_TASK, Verdict.PASSED_WITH_WARNINGS),
            (FindingKind.REQUIRED, Verdict.BLOCKED),
            (FindingKind.TASK, Verdict.ERROR),
        )
    ]
    return TaskVerdict(
        **_texts(TaskVerdict, payload),
        verdict=Verdict.ERROR,
        findings=tuple(found),
        timeline=((0.0, 0.0), (2.0, 40.0)),
    )


def written(
    run: RunVerdict, tasks: Sequence[TaskVerdict], facts: RunFacts = FACTS, form: str = "html"
) -> str:
    """Return the report of a run in a format."""
    out = io.StringIO()
    reporter = load_format(form)(out)
    for task in tasks:
        reporter.add_task(task)
    reporter.finish(run, replace(facts, exit_code=exit_code(run.verdict)))
    return out.getvalue()
