"""Verdicts made by hand, alone and in runs of every kind, and reports made of them."""

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
from precheck_gate.safetext.cleaning import clean, clean_line
from tests.support.harness import task_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.model.verdicts import Effect
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


def own(
    verdict: Verdict = Verdict.PASSED,
    message: str = "DRS says that the task may start",
    **more: Any,
) -> Finding:
    """Return a finding about a task as a whole."""
    values = {"message": message, "decided_by": "gate: result must be true", **more}
    if verdict is not Verdict.PASSED:
        values.setdefault("next_step", "Look at the task.")
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
    reporter.finish(run_of(tasks, *findings, remarks=tuple(remarks)), replace(FACTS, **facts))
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


GROUPS = ("network", "db_params", "db_version", "db_user_privilege", "db_disk_size")
LIVE_FACTS = RunFacts(
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


def item_of(name: str, verdict: Verdict = Verdict.PASSED, **more: Any) -> Finding:
    """Return a finding about an item."""
    status = {Verdict.PASSED: "PASSED", Verdict.BLOCKED: "FAILED"}.get(verdict, "ALARM")
    more = {"group": "network", "decided_by": "policy.yaml:5 statuses", "status": status, **more}
    return Finding(FindingKind.ITEM, verdict, name, f"{name} is {status}", **more)


def wave(tasks: int, items: int = 40) -> tuple[RunVerdict, list[TaskVerdict]]:
    """Return a run with tasks of all verdicts, of which every tenth or so has some trouble."""
    made = [_one_of_many(number, items) for number in range(tasks)]
    return run_of(made, waivers=WAIVERS, remarks=("count is 3, but there are 2 results",)), made


def _one_of_many(number: int, items: int) -> TaskVerdict:
    timeline = tuple((float(step * (3 + number % 7)), step * 20.0) for step in range(6))
    found = [
        item_of(f"check{at:02d}", group=GROUPS[at % len(GROUPS)], data=f'{{"size":"{number}"}}')
        for at in range(items - 2)
    ]
    found.append(item_of("dstDbDiskSize", _every(number, 5, Verdict.PASSED_WITH_WARNINGS)))
    binlog = _every(number, 9, Verdict.BLOCKED)
    found.append(
        item_of(
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


HOSTILE_MARKUP = (
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


def hostile_run(*payloads: str) -> tuple[RunVerdict, list[TaskVerdict], RunFacts]:
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


def page_of(
    run: RunVerdict, tasks: Sequence[TaskVerdict], facts: RunFacts = LIVE_FACTS, form: str = "html"
) -> str:
    """Return the report of a run in a format."""
    out = io.StringIO()
    reporter = load_format(form)(out)
    for task in tasks:
        reporter.add_task(task)
    reporter.finish(run, replace(facts, exit_code=exit_code(run.verdict)))
    return out.getvalue()
