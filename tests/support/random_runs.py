"""Runs of any kind that the gate could have judged, for hypothesis, and their reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from precheck_gate.model.verdicts import (
    Finding,
    FindingKind,
    RunFacts,
    TaskVerdict,
    Verdict,
    WaiverState,
)
from precheck_gate.model.verdicts import WaiverUse as Waiver
from precheck_gate.safetext.cleaning import clean, clean_line
from tests.support.harness import task_id
from tests.support.made_runs import run_of

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import RunVerdict

Judged = tuple["RunVerdict", list[TaskVerdict], RunFacts]

_words = st.one_of(
    st.sampled_from(
        ["", "srcDbBinlogIsOff", "ALARM", "<b>&", "|`", "__proto__", "ü\n\t\x1b\ud800"]
    ),
    st.text(max_size=12),
)
line = _words.map(clean_line)
named = line.map(lambda text: text or "x")
block = _words.map(clean)
dates = st.dates().map(lambda date: date.isoformat())
seconds = st.floats(0, 1e6, allow_nan=False).map(lambda value: round(value, 1))
percents = st.one_of(st.integers(0, 100), st.floats(0, 100, allow_nan=False))
in_tasks = st.sampled_from([kind for kind in FindingKind if kind is not FindingKind.RUN])


def findings(kinds: st.SearchStrategy[FindingKind]) -> st.SearchStrategy[Finding]:
    """Return findings of some kinds with any texts."""
    return st.builds(
        Finding,
        kind=kinds,
        verdict=st.sampled_from(Verdict),
        title=named,
        message=named,
        group=line,
        status=line,
        failed_reason=line,
        raw_error=block,
        data=block,
        sub_task=line,
        code=line,
        decided_by=line,
        reason=line,
        next_step=line,
        waived_by=line,
        waived_until=st.one_of(st.just(""), dates),
        waiver_reason=line,
        known=st.booleans(),
        trace=st.lists(line, max_size=3).map(tuple),
    )


tasks = st.builds(
    TaskVerdict,
    task_id=st.just(""),
    verdict=st.just(Verdict.ERROR),
    findings=st.lists(findings(in_tasks), min_size=1, max_size=4).map(tuple),
    progress=line,
    result=line,
    direction=line,
    passed_rate=line,
    instance_id=line,
    timeline=st.lists(st.tuples(seconds, percents), max_size=4).map(tuple),
)
waivers = st.builds(
    Waiver,
    id=line,
    owner=line,
    reason=line,
    ticket=line,
    origin=line,
    expires=dates,
    days_left=st.integers(-10_000, 10_000),
    state=st.sampled_from(WaiverState),
    used=st.integers(0, 99),
)
live = {
    "started_at": st.just("2026-06-15T19:58:36+00:00"),
    "seconds": st.one_of(st.none(), seconds),
    "endpoint": line,
    "project_id": line,
    "requests": st.one_of(st.none(), st.integers(0, 999)),
    "retries": st.one_of(st.none(), st.integers(0, 999)),
}
known_before = {
    "mode": st.sampled_from(["run", "evaluate", "demo"]),
    "judged_on": dates,
    "exit_code": st.just(0),
    "policy": line,
    "policy_digest": st.sampled_from(["", "0f" * 32]),
    "advisory": st.booleans(),
    "interrupted_by": st.sampled_from(["", "SIGINT", "SIGTERM"]),
}
facts = st.one_of(
    st.builds(RunFacts, **known_before),
    st.builds(RunFacts, **known_before, **live),
)


hundreds = st.sampled_from(["100", '"100%"', '"100.0 %"', "1E+2"])


@st.composite
def runs(draw: st.DrawFn) -> Judged:
    """Return a run whose verdicts follow from its findings."""
    from precheck_gate.model.verdicts import worst

    made = [
        replace(
            task,
            task_id=task_id(number),
            verdict=worst(finding.verdict for finding in task.findings),
        )
        for number, task in enumerate(draw(st.lists(tasks, max_size=3)))
    ]
    made = [
        replace(task, progress=draw(hundreds), result="true") if task.verdict.green else task
        for task in made
    ]
    # A run without a task has something against it, or it would not be one.
    own = draw(
        st.lists(findings(st.just(FindingKind.RUN)), max_size=2).filter(
            lambda found: bool(made) or not all(one.verdict.green for one in found)
        )
    )
    run = run_of(
        made,
        *own,
        waivers=tuple(draw(st.lists(waivers, max_size=2))),
        remarks=tuple(draw(st.lists(line, max_size=2))),
    )
    known = draw(facts)
    return run, made, replace(known, exit_code=draw(codes(run.verdict, known, some=bool(made))))


def codes(verdict: Verdict, known: RunFacts, *, some: bool) -> st.SearchStrategy[int]:
    """Return the exit codes with which a run may end."""
    if known.interrupted_by:
        return st.just({"SIGINT": 130, "SIGTERM": 143}[known.interrupted_by])
    if verdict is Verdict.BLOCKED and known.advisory:
        return st.sampled_from([0, 5, 70])
    return st.sampled_from(
        {
            Verdict.PASSED: [0, 5, 70],
            Verdict.PASSED_WITH_WARNINGS: [0, 5, 10, 70],
            Verdict.BLOCKED: [1],
            Verdict.INCOMPLETE: [3],
            Verdict.ERROR: [4, 70] if some else [2, 4, 70],
        }[verdict]
    )
