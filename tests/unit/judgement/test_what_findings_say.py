"""What a finding says of a task and its items: enough to act on, and no text without an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.model.snapshots import About, Observation
from precheck_gate.model.verdicts import FindingKind, Verdict
from tests.support.harness import (
    TASK,
    body,
    entry,
    item,
    judge,
    judge_observations,
    policy,
    without,
)

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import Finding
    from tests.support.harness import Judged


def of_task(judged: Judged, verdict: Verdict = Verdict.BLOCKED) -> Finding:
    found = [one for one in judged.findings if one.kind is FindingKind.TASK]
    [finding] = [one for one in found if one.verdict is verdict]
    return finding


@pytest.mark.parametrize(("number", "more"), [(1, ""), (3, ""), (4, " and 1 more"), (6, "3 more")])
def test_a_contradiction_names_the_first_failures_and_counts_the_others(
    number: int, more: str
) -> None:
    names = [f"item-{index}" for index in range(number)]
    message = of_task(judge(body(entry(items=[item(one, "FAILED") for one in names])))).message
    assert [one in message for one in names] == [index < 3 for index in range(number)]
    assert message.endswith(more)
    assert (" more" in message) is (number > 3)


@pytest.mark.parametrize(
    ("statuses", "says", "does_not", "step"),
    [
        (["PASSED", "PASSED"], "though every item is PASSED", "no item", "Look at"),
        (["PASSED", "ALARM"], "though no item is FAILED", "every item", "Look at"),
        (["PASSED", "FAILED"], "(result: false)", "though", "Fix"),
    ],
)
def test_a_refusal_of_the_service_says_what_the_items_say_of_it(
    statuses: list[str], says: str, does_not: str, step: str
) -> None:
    items = [item(f"i{number}", status) for number, status in enumerate(statuses)]
    finding = of_task(judge(body(entry(items=items, result=False))))
    assert says in finding.message
    assert does_not not in finding.message
    assert finding.next_step.startswith(step)


@pytest.mark.parametrize(("length", "whole"), [(58, True), (59, False), (900, False)])
def test_a_result_that_is_no_result_is_shown_and_cut(length: int, whole: bool) -> None:
    # With its quotes it is two characters longer.
    message = of_task(judge(body(entry(result="x" * length)))).message
    assert ("more characters" not in message) is whole
    assert "x" * 50 in message


def test_a_result_that_was_not_sent_is_said_to_be_none() -> None:
    assert "(none)" in of_task(judge(body(without(entry(), "result")))).message
    nothing = judge(body(without(entry(), "process")))
    assert "(none)" in of_task(nothing, Verdict.INCOMPLETE).message


@pytest.mark.parametrize(("name", "limit"), [("name", 200), ("engine", 60)])
def test_what_people_call_a_task_is_shown_and_cut(name: str, limit: int) -> None:
    def shown(text: str) -> Any:
        about = About(**{name: text})
        return getattr(judge_observations([Observation(TASK, about=about)], [TASK]).tasks[0], name)

    assert shown("x" * limit) == "x" * limit
    assert "(1 more characters)" in shown("x" * (limit + 1))


def rated(said: str) -> str:
    by = policy("version: 1\nlimits: {min_passed_rate: 50}\n")
    return of_task(judge(body(entry(total_passed_rate=said)), by=by)).message


def test_a_rate_that_is_not_understood_is_shown_and_cut() -> None:
    assert "x" * 40 in rated("x" * 40)
    assert "more characters" not in rated("x" * 40)
    assert "(1 more characters)" in rated("x" * 41)


@pytest.mark.parametrize("bound", ["max_warnings_per_task: 0", "min_passed_rate: 60"])
def test_a_finding_about_a_limit_is_named_after_it(bound: str) -> None:
    by = policy(f"version: 1\nlimits: {{{bound}}}\n")
    finding = of_task(judge(body(entry(items=[item(), item("a", "ALARM")])), by=by))
    name = bound.partition(":")[0]
    assert (finding.title, finding.decided_by) == (name, f"policy.yaml:2 limits.{name}")


def test_any_other_finding_about_a_task_is_about_its_result() -> None:
    assert of_task(judge(body(entry())), Verdict.PASSED).title == "result"
    assert of_task(judge(body(entry(result=False)))).title == "result"


@pytest.mark.parametrize(
    ("status", "skipped", "skippable", "says"),
    [
        ("FAILED", False, True, "would let it be skipped"),
        ("FAILED", True, True, "was skipped"),
        ("FAILED", True, False, "was skipped"),
        ("ALARM", False, True, None),
        ("FAILED", False, False, None),
    ],
)
def test_an_item_that_was_or_could_be_skipped_is_said_to_be(
    status: str, skipped: bool, skippable: bool, says: str | None
) -> None:
    one = item("a", status, is_skipped=skipped, is_support_skip=skippable)
    [finding] = [one for one in judge(body(entry(items=[one]))).findings if one.title == "a"]
    assert ("skipped" in finding.message) is (says is not None)
    assert says is None or says in finding.message


@pytest.mark.parametrize(
    ("sub", "who"),
    [
        ({"id": "s-1", "name": "orders"}, "orders s-1"),
        ({"id": "s-1"}, "s-1"),
        ({"name": "orders"}, "orders"),
        ({}, "(unnamed)"),
    ],
)
def test_a_sub_task_is_named_by_all_that_is_known_of_it(sub: dict[str, str], who: str) -> None:
    one = item("a", failed_sub_jobs=[{**sub, "check_result": "ALARM"}])
    [finding] = [
        one for one in judge(body(entry(items=[one]))).findings if one.kind is FindingKind.SUB_TASK
    ]
    assert finding.sub_task == who
    assert f"for the sub-task {who}" in finding.message


def test_nothing_is_advised_for_what_passed_and_something_for_all_else() -> None:
    statuses = ["PASSED", "ALARM", "FAILED", "NEW", ""]
    items = [item(f"i{number}", status) for number, status in enumerate(statuses)]
    for process in ("100%", "60%"):
        found = judge(body(entry(items=items, process=process))).findings
        steps = {one.title: one.next_step for one in found if one.kind is FindingKind.ITEM}
        assert [bool(steps[one["item"]]) for one in items] == [False, True, True, True, True]
