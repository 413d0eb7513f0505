"""What holds of every policy and every answer."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from precheck_gate.errors import DocumentError
from precheck_gate.model.verdicts import FindingKind
from precheck_gate.policy.loading import PRESETS, builtin_policy
from precheck_gate.policy.model import Layer, Origin, Placed, stack
from tests.support.harness import (
    DEFAULT,
    TODAY,
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
)
from tests.support.strategies import IDS, contents, entries, load, matches, policies, rules, waiver

# Deadlines say more of the machine than of the code.
often = settings(deadline=None, max_examples=30)


def asked(content: bytes) -> list[str]:
    return [one["precheck_id"] for one in json.loads(content)["results"]]


def judged(content: bytes, made: dict[str, Any]) -> Judged:
    return judge(content, asked(content), load(made))


@often
@given(contents(), policies())
def test_no_policy_turns_a_task_green_whose_result_is_not_true(
    content: bytes, made: dict[str, Any]
) -> None:
    results = {one["precheck_id"]: one for one in json.loads(content)["results"]}
    for task in judged(content, made).tasks:
        said = results[task.task_id]
        if task.verdict.green:
            assert said["result"] is True
            assert said["process"] == "100%"
            assert said["precheck_result"]


@often
@given(contents(), policies(waivers=False), st.lists(matches, min_size=1, max_size=3))
def test_a_waiver_never_turns_a_task_green_whose_result_is_not_true(
    content: bytes, made: dict[str, Any], waived: list[dict[str, Any]]
) -> None:
    made["waivers"] = [waiver(number, match) for number, match in enumerate(waived)]
    made["waivers"].append(waiver(99, {"item": "*"}))
    made.pop("limits", None)
    results = {one["precheck_id"]: one["result"] for one in json.loads(content)["results"]}
    for task in judged(content, made).tasks:
        assert not task.verdict.green or results[task.task_id] is True


@often
@given(contents(), policies(waivers=False), matches)
def test_a_waiver_softens_blocks_of_items_and_nothing_else(
    content: bytes, made: dict[str, Any], match: dict[str, Any]
) -> None:
    plain = judged(content, made)
    waived = judged(content, made | {"waivers": [waiver(1, match)]})
    for before, after in zip(plain.tasks, waived.tasks, strict=True):
        own = [FindingKind.TASK, FindingKind.RUN]
        pairs = zip(
            (one for one in before.findings if one.kind not in own),
            (one for one in after.findings if one.kind not in own),
            strict=True,
        )
        for old, new in pairs:
            if new.waived_by:
                # A FAILED item contradicts result: true, which blocks whatever a rule says.
                assert old.effect.value == "block" or old.status == "FAILED"
                assert new.effect.value == "warn"
                assert (new.status, new.message) == (old.status, old.message)
            else:
                assert new.verdict is old.verdict


def with_block(made: dict[str, Any], at: int, match: dict[str, Any]) -> dict[str, Any]:
    block = {"match": match, "effect": "block"}
    return made | {"rules": [*made["rules"][:at], block, *made["rules"][at:]]}


@often
@given(contents(), policies(waivers=False), st.integers(0, 3), matches)
def test_adding_a_rule_that_blocks_never_makes_a_verdict_better(
    content: bytes, made: dict[str, Any], at: int, match: dict[str, Any]
) -> None:
    check_never_better(content, made, with_block(made, at, match))


def check_never_better(content: bytes, made: dict[str, Any], stricter: dict[str, Any]) -> None:
    before, after = judged(content, made), judged(content, stricter)
    assert after.verdict.severity >= before.verdict.severity
    for one, other in zip(before.tasks, after.tasks, strict=True):
        assert other.verdict.severity >= one.verdict.severity


ALLOWED_AND_WAIVED = {
    "version": 1,
    "rules": [{"match": {"item": "a"}, "effect": "allow"}],
    "waivers": [waiver(1, {"item": "a"})],
}


@often
@given(contents(), policies(), st.integers(0, 3), matches)
@example(body(entry(IDS[0], items=[item("a", "FAILED")])), ALLOWED_AND_WAIVED, 0, {"item": "a"})
def test_nor_does_it_where_a_waiver_softens_the_block(
    content: bytes, made: dict[str, Any], at: int, match: dict[str, Any]
) -> None:
    check_never_better(content, made, with_block(made, at, match))


@often
@given(contents(), policies(), rules, st.integers(0, 3))
def test_a_rule_that_is_looked_at_last_changes_only_what_no_other_decides(
    content: bytes, made: dict[str, Any], rule: dict[str, Any], at: int
) -> None:
    catch_all = {"match": {"item": "*"}, "effect": "warn"}
    first = made | {"rules": [*made["rules"], catch_all]}
    more = made | {"rules": [*made["rules"], catch_all, rule]}
    before, after = judged(content, first), judged(content, more)
    assert [task.verdict for task in before.tasks] == [task.verdict for task in after.tasks]


@often
@given(entries(), policies(), st.randoms(use_true_random=False))
def test_the_order_of_items_and_tasks_never_changes_a_verdict(
    tasks: list[dict[str, Any]], made: dict[str, Any], random: Any
) -> None:
    content = body(*tasks)
    before = judged(content, made)
    mixed = [dict(task, precheck_result=list(task["precheck_result"])) for task in tasks]
    random.shuffle(mixed)
    for task in mixed:
        random.shuffle(task["precheck_result"])
    requested = list(asked(content))
    random.shuffle(requested)
    after = judge(body(*mixed), requested, load(made))
    assert after.verdict is before.verdict
    assert {task.task_id: task.verdict for task in after.tasks} == {
        task.task_id: task.verdict for task in before.tasks
    }
    assert after.run.tasks == before.run.tasks
    assert after.run.items == before.run.items
    assert [use.state for use in after.run.waivers] == [use.state for use in before.run.waivers]


@often
@given(contents())
def test_permissive_passes_what_default_passes_and_default_what_strict_passes(
    content: bytes,
) -> None:
    assert PRESETS == ("strict", "default", "permissive")
    verdicts = [
        judge(content, asked(content), builtin_policy(f"builtin:{name}")) for name in PRESETS
    ]
    for stricter, laxer in pairwise(verdicts):
        assert laxer.verdict.severity <= stricter.verdict.severity
        for one, other in zip(stricter.tasks, laxer.tasks, strict=True):
            assert other.verdict.severity <= one.verdict.severity


def test_the_presets_differ() -> None:
    def greens(content: bytes) -> list[bool]:
        return [
            judge(content, asked(content), builtin_policy(f"builtin:{name}")).verdict.green
            for name in PRESETS
        ]

    assert greens(body(entry(items=[item("a", "ALARM")]))) == [False, True, True]
    assert greens(body(entry(items=[item("a", "NEW")]))) == [False, False, True]
    assert greens(body(entry(items=[item("a", "FAILED")]))) == [False, False, False]


@often
@given(contents(), st.sampled_from(["version: 1\n", '{"version": 1}', "version: 1\nrules: []\n"]))
def test_a_file_that_extends_nothing_is_the_built_in_default(content: bytes, text: str) -> None:
    by_file, by_default = policy(text), DEFAULT
    own, built_in = (judge(content, asked(content), by) for by in (by_file, by_default))
    assert own.run == built_in.run
    assert own.tasks == built_in.tasks
    assert (by_file.statuses, by_file.skipped) == (by_default.statuses, by_default.skipped)


@often
@given(st.lists(st.none() | st.integers(1, 400), min_size=1, max_size=5))
def test_of_several_bounds_on_waivers_the_smallest_holds(bounds: list[int | None]) -> None:
    layers = [
        Layer(
            max_waiver_days=None
            if days is None
            else Placed(days, Origin(f"{number}.yaml", 1, "max_waiver_days"))
        )
        for number, days in enumerate(bounds)
    ]
    said = [days for days in bounds if days is not None]
    made = stack(layers).max_waiver_days
    assert (made.value if made else None) == min(said, default=None)
    assert stack(layers[::-1]).max_waiver_days == made or len(set(said)) < len(said)


@often
@given(
    st.sampled_from(PRESETS),
    st.none() | st.integers(1, 60),
    st.none() | st.integers(1, 60),
    st.integers(0, 70),
)
def test_a_waiver_is_refused_exactly_where_it_runs_over_the_smallest_bound(
    preset: str, own: int | None, profile: int | None, days: int
) -> None:
    made: dict[str, Any] = {"version": 1, "extends": f"builtin:{preset}"}
    made["profiles"] = {"p": {"skipped": "block"}}
    if own is not None:
        made["max_waiver_days"] = own
    if profile is not None:
        made["profiles"]["p"]["max_waiver_days"] = profile
    expires = (TODAY + timedelta(days)).isoformat()
    made["waivers"] = [waiver(1, {"item": "a"}) | {"expires": expires}]
    bounds = [one for one in (own, profile, 30 if preset == "strict" else None) if one is not None]
    if bounds and days > min(bounds):
        with pytest.raises(DocumentError, match=rf"runs {days} days .* over {min(bounds)}"):
            policy(json.dumps(made), "p")
    else:
        assert policy(json.dumps(made), "p").waivers[0].expires == date.fromisoformat(expires)


@often
@given(contents(), policies())
def test_the_same_input_gives_the_same_verdict_and_findings(
    content: bytes, made: dict[str, Any]
) -> None:
    one, other = judged(content, made), judged(content, made)
    assert (one.run, one.tasks) == (other.run, other.tasks)


@often
@given(contents(), policies())
def test_every_finding_says_where_it_was_decided(content: bytes, made: dict[str, Any]) -> None:
    for finding in judged(content, made).findings:
        assert finding.decided_by.startswith(("policy.yaml:", "builtin:", "gate: "))
