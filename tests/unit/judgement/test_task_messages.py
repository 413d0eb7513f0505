"""What is said of a task's own outcome: rightly, in full, and bounded."""

from __future__ import annotations

import pytest

from precheck_gate.model.verdicts import FindingKind, Verdict
from tests.support.harness import (
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
    without,
)


def said(judged: Judged) -> list[str]:
    return [one.message for one in judged.findings if one.kind is FindingKind.TASK]


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_a_contradiction_names_three_items_and_counts_the_rest(
    names: list[str], listed: str
) -> None:
    judged = judge(body(entry(items=[item(name, "FAILED") for name in names])))
    assert said(judged) == [
        f"contradiction: DRS says that the task may start, but these items are FAILED: {listed}"
    ]


def test_no_result_and_no_progress_are_called_none() -> None:
    judged = judge(body(without(entry(), "result")))
    assert said(judged) == ["DRS does not say that the task may start (result: (none), not true)"]
    judged = judge(body(without(entry(), "process")))
    assert said(judged) == ["the progress (none) is not a percentage"]
    assert judged.verdict is Verdict.INCOMPLETE


def test_a_long_result_is_shortened() -> None:
    [message] = said(judge(body(entry(result="x" * 500))))
    assert 80 < len(message) < 160


@pytest.mark.parametrize(
    ("statuses", "more"),
    [
        (["PASSED"], ", though every item is PASSED"),
        (["PASSED", "ALARM"], ", though no item is FAILED"),
        (["PASSED", "FAILED"], ""),
    ],
)
def test_a_refusal_says_what_the_items_say(statuses: list[str], more: str) -> None:
    judged = judge(body(entry(items=[item("a", one) for one in statuses], result=False)))
    [message] = said(judged)
    assert message == f"DRS says that the task may not start (result: false){more}"
    [finding] = [one for one in judged.findings if one.kind is FindingKind.TASK]
    assert finding.next_step.startswith("Look at" if more else "Fix the FAILED items")


def test_an_empty_pre_check_is_named_beside_a_refusal() -> None:
    judged = judge(body(entry(items=[], result=False)))
    assert said(judged)[-1] == "the pre-check is at 100 % but has no items"
    assert len(said(judged)) == 2
    by = policy("version: 1\nallow_empty: false\n")
    assert judge(body(entry(items=[])), by=by).verdict is Verdict.BLOCKED


def test_one_that_passes_says_so() -> None:
    assert said(judge(body(entry()))) == ["DRS says that the task may start"]


@pytest.mark.parametrize(("process", "told"), [("50%", False), ("100%", True)])
def test_the_rate_of_a_pre_check_is_told_only_at_its_end(process: str, told: bool) -> None:
    by = policy("version: 1\nlimits: {min_passed_rate: 95}\n")
    judged = judge(body(entry(process=process, items=[item("a", "ALARM")])), by=by)
    assert judged.says("0 of 1 items are PASSED, less than 95 %") is told
