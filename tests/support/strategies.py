"""Policies, answers and judged runs at random, for hypothesis.

Policies and answers are small enough that their parts meet.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from precheck_gate.model.verdicts import (
    Finding,
    FindingKind,
    RunFacts,
    TaskVerdict,
    Verdict,
    WaiverState,
    WaiverUse,
    worst,
)
from precheck_gate.safetext.cleaning import clean, clean_line
from tests.support.harness import body, entry, item, policy, task_id
from tests.support.verdicts import run_of

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import RunVerdict
    from precheck_gate.policy.model import Policy

ITEMS, GROUPS, REASONS = ("a", "b", "c"), ("g", "h"), ("", "R", "S")
STATUSES = ("PASSED", "ALARM", "FAILED", "NEW", "")
IDS = tuple(map(task_id, range(3)))
DIRECTIONS = ("up", "down", "", None)
PRESETS = ("strict", "default", "permissive")

effects = st.sampled_from(["allow", "warn", "block"])
_names = st.sampled_from([*ITEMS, "*", "[ab]"])

matches = st.fixed_dictionaries(
    {"item": _names},
    optional={
        "status": st.sampled_from(["PASSED", "ALARM", "FAILED", "unknown"]),
        "group": st.sampled_from(GROUPS),
        "failed_reason": st.sampled_from(["R", "*"]),
        "task": st.sampled_from(IDS),
        "direction": st.sampled_from(["up", "*", "[!d]*"]),
    },
)
rules = st.fixed_dictionaries({"match": matches, "effect": effects})

_required = st.sampled_from(ITEMS) | st.fixed_dictionaries(
    {"item": st.sampled_from(ITEMS), "direction": st.sampled_from(["up", "down"])}
)

_subs = st.fixed_dictionaries({"id": st.just("s"), "check_result": st.sampled_from(STATUSES)})


@st.composite
def items(draw: st.DrawFn, statuses: tuple[str, ...] = STATUSES) -> dict[str, Any]:
    """Return an item as the service sends it."""
    more: dict[str, Any] = {"group": draw(st.sampled_from([*GROUPS, "", None]))}
    if reason := draw(st.sampled_from(REASONS)):
        more["failed_reason"] = reason
    if draw(st.integers(0, 4)) == 0:
        more["is_skipped"] = True
    if draw(st.integers(0, 4)) == 0:
        sub = draw(_subs)
        more["failed_sub_jobs"] = [sub | {"check_result": draw(st.sampled_from(statuses))}]
    return item(draw(st.sampled_from(ITEMS)), draw(st.sampled_from(statuses)), **more)


@st.composite
def entries(draw: st.DrawFn, statuses: tuple[str, ...] = STATUSES) -> list[dict[str, Any]]:
    """Return one to three tasks, which are mostly at their end and ready."""
    made = []
    for name in IDS[: draw(st.integers(1, 3))]:
        result = draw(st.sampled_from([True, True, True, False, "true"]))
        process = draw(st.sampled_from(["100%", "100%", "100%", "7%"]))
        inside = draw(st.lists(items(statuses), max_size=4))
        rate = draw(st.sampled_from(["", "100%", "50%"]))
        said = {"total_passed_rate": rate, "job_direction": draw(st.sampled_from(DIRECTIONS))}
        made.append(entry(name, items=inside, process=process, result=result, **said))
    return made


def contents(statuses: tuple[str, ...] = STATUSES) -> st.SearchStrategy[bytes]:
    return entries(statuses).map(lambda made: body(*made))


@st.composite
def policies(draw: st.DrawFn, *, waivers: bool = True) -> dict[str, Any]:
    """Return a policy as its file holds it."""
    made: dict[str, Any] = {
        "version": 1,
        "extends": f"builtin:{draw(st.sampled_from(PRESETS))}",
        "rules": draw(st.lists(rules, max_size=3)),
    }
    if draw(st.booleans()):
        made["statuses"] = draw(st.dictionaries(st.sampled_from(["ALARM", "unknown"]), effects))
    if draw(st.booleans()):
        made["required_items"] = draw(st.lists(_required, max_size=1))
    if draw(st.booleans()):
        made["never_waive"] = draw(
            st.sampled_from([{"groups": "g"}, {"groups": ["?", "i*"]}, {"items": "a"}])
        )
    if draw(st.booleans()):
        bounds = {
            "max_warnings": st.integers(0, 4),
            "max_warnings_per_task": st.integers(0, 3),
            "min_passed_rate": st.sampled_from([0, 50, 100]),
        }
        made["limits"] = draw(st.fixed_dictionaries({}, optional=bounds))
    if waivers:
        made["waivers"] = [
            waiver(number, match)
            for number, match in enumerate(draw(st.lists(matches, max_size=2)))
        ]
    return made


def waiver(number: int, match: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"W-{number}",
        "match": match,
        "reason": "r",
        "owner": "o",
        "expires": "2026-07-01",
    }


def load(made: dict[str, Any]) -> Policy:
    return policy(json.dumps(made))


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
    WaiverUse,
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
