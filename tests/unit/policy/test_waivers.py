"""Waivers: when they apply, what they may not touch, how long they run, what is said of them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import DocumentError
from precheck_gate.model.verdicts import Verdict, WaiverState
from tests.support.commands import evaluate, gate, write
from tests.support.harness import (
    OTHER,
    TASK,
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
)

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = body(entry(items=[item("a", "ALARM")]))


def waiving(match: str = "item: a", dates: str = "expires: 2026-07-01", more: str = "") -> str:
    return (
        "version: 1\nextends: builtin:strict\nwaivers:\n"
        f"- {{id: W-1, match: {{{match}}}, reason: agreed, owner: dba-team, {dates}}}\n{more}"
    )


def judged(text: str, content: bytes = BLOCKS, **more: object) -> Judged:
    return judge(content, by=policy(text), **more)  # type: ignore[arg-type]


def test_a_waiver_makes_a_warning_of_a_block_and_is_shown_with_the_raw_status() -> None:
    result = judged(waiving())
    assert result.verdict is Verdict.PASSED_WITH_WARNINGS
    [finding] = [one for one in result.findings if one.title == "a"]
    assert (finding.status, finding.waived_by, finding.waived_until) == (
        "ALARM",
        "W-1",
        "2026-07-01",
    )
    assert finding.waiver_reason == "agreed (owner dba-team)"
    assert finding.decided_by == "builtin:strict:6 statuses.ALARM"
    [use] = result.run.waivers
    assert (use.state, use.used, use.days_left) == (WaiverState.USED, 1, 16)


def test_a_waiver_of_a_failed_item_lifts_the_contradiction_only_where_result_is_true() -> None:
    failed = [item("a", "FAILED")]
    assert judged(waiving(), body(entry(items=failed))).verdict is Verdict.PASSED_WITH_WARNINGS
    for result in (False, "true", 1, None):
        refused = judged(waiving(), body(entry(items=failed, result=result)))
        assert refused.verdict is Verdict.BLOCKED


@pytest.mark.parametrize(
    ("dates", "today", "waives", "state"),
    [
        ("expires: 2026-06-15", date(2026, 6, 15), True, WaiverState.USED),
        ("expires: 2026-06-14", date(2026, 6, 15), False, WaiverState.EXPIRED),
        ("since: 2026-06-15, expires: 2026-06-20", date(2026, 6, 15), True, WaiverState.USED),
        ("since: 2026-06-16, expires: 2026-06-20", date(2026, 6, 15), False, WaiverState.PENDING),
        ("since: 2026-06-15, expires: 2026-06-15", date(2026, 6, 15), True, WaiverState.USED),
    ],
)
def test_both_days_are_waived(dates: str, today: date, waives: bool, state: WaiverState) -> None:
    result = judged(waiving(dates=dates), today=today)
    assert result.verdict.green is waives
    assert result.run.waivers[0].state is state


@pytest.mark.parametrize(
    ("now", "code"),
    [
        ("2026-06-30", 0),
        ("2026-06-30T23:59:59Z", 0),
        ("2026-07-01T00:00:00Z", 1),
        # In UTC these are the last minute of the last day, and the first after it.
        ("2026-07-01T01:59:00+02:00", 0),
        ("2026-06-30T22:00:00-02:00", 1),
    ],
)
def test_now_is_taken_in_utc(now: str, code: int, tmp_path: Path) -> None:
    text = waiving(dates="since: 2026-06-15, expires: 2026-06-30")
    write(tmp_path, policy_yaml=text)
    (tmp_path / "answer.json").write_bytes(BLOCKS)
    output = gate(
        "evaluate", tmp_path / "answer.json", "--policy", tmp_path / "policy.yaml", "--now", now
    )
    assert output.code == code


@pytest.mark.parametrize(
    ("match", "waives"),
    [
        ("item: a", True),
        ("item: 'b'", False),
        ("group: network", True),
        ("group: other", False),
        ("status: ALARM", True),
        ("status: FAILED", False),
        ("failed_reason: R*", True),
        ("failed_reason: X", False),
        (f"task: {TASK}", True),
        ("task: 999-*", False),
        ("direction: up", True),
        ("direction: down", False),
        ("item: a, group: other", False),
        ("sub_task: shard-1", False),
    ],
)
def test_a_waiver_applies_only_where_all_keys_match(match: str, waives: bool) -> None:
    items = [item("a", "ALARM", failed_reason="R1")]
    result = judged(waiving(match), body(entry(items=items, job_direction="up")))
    assert result.verdict.green is waives


@pytest.mark.parametrize(
    ("match", "waives"),
    [
        ("sub_task: s-1", True),
        ("sub_task: shard*", True),
        ("item: a", True),
        ("sub_task: x", False),
    ],
)
def test_a_waiver_for_a_sub_task_names_its_id_or_its_name(match: str, waives: bool) -> None:
    sub = {"id": "s-1", "name": "shard-1", "check_result": "FAILED"}
    content = body(entry(items=[item("a", failed_sub_jobs=[sub])]))
    assert judged(waiving(match), content).verdict.green is waives


@pytest.mark.parametrize(
    "never",
    [
        "items: a",
        "items: [x, a*]",
        "groups: network",
        "groups: [net*]",
        "items: x, groups: network",
    ],
)
def test_what_may_never_be_waived_is_not(never: str) -> None:
    result = judged(waiving(more=f"never_waive: {{{never}}}\n"))
    assert result.verdict is Verdict.BLOCKED
    assert result.run.waivers[0].state is WaiverState.UNUSED
    [finding] = [one for one in result.findings if one.title == "a"]
    assert "not allowed by policy.yaml:5 never_waive" in finding.trace[-1]


def test_never_waive_leaves_the_rest_alone() -> None:
    more = "never_waive: {items: b, groups: other}\n"
    assert judged(waiving(more=more)).verdict is Verdict.PASSED_WITH_WARNINGS


def test_never_waive_of_an_organisation_cannot_be_lifted(tmp_path: Path) -> None:
    write(
        tmp_path,
        org_yaml="version: 1\nextends: builtin:strict\nnever_waive: {groups: network}\n",
        team_yaml=waiving(more="never_waive: {items: zzz}\n").replace("builtin:strict", "org.yaml"),
    )
    output, report = evaluate(tmp_path, BLOCKS, "--policy", tmp_path / "team.yaml")
    assert (output.code, report["verdict"]) == (1, "blocked")


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ("expires: 2026-07-15", None),
        ("expires: 2026-07-16", 'waiver "W-1" runs 31 days from today, over 30'),
        ("since: 2026-01-01, expires: 2026-01-31", None),
        ("since: 2026-01-01, expires: 2026-02-01", "runs 31 days from since, over 30"),
        ("since: 2026-06-01, expires: 2026-07-15", "runs 44 days from since, over 30"),
        ("expires: 2020-01-01", None),
    ],
)
def test_a_waiver_may_not_run_longer_than_the_bound(dates: str, says: str | None) -> None:
    if says is None:
        judged(waiving(dates=dates))
        return
    with pytest.raises(DocumentError, match=says) as caught:
        policy(waiving(dates=dates))
    [problem] = caught.value.problems
    assert (problem.line, problem.path) == (4, "waivers[0]")
    assert "builtin:strict:10 max_waiver_days" in problem.hint


def test_a_team_cannot_lift_the_bound_and_can_lower_it() -> None:
    long = waiving(dates="expires: 2026-07-16", more="max_waiver_days: 365\n")
    with pytest.raises(DocumentError, match="over 30"):
        policy(long)
    with pytest.raises(DocumentError, match="over 10"):
        policy(waiving(dates="expires: 2026-06-26", more="max_waiver_days: 10\n"))


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ("expires: 2026-02-30", "2026-02-30 is not a date"),
        ("since: 2026-07-02, expires: 2026-07-01", "expires is earlier than since"),
        ("expires: tomorrow", "has an invalid format"),
        ("since: 2026-06-01", "missing key 'expires'"),
    ],
)
def test_dates_that_cannot_be_used_are_refused(dates: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        policy(waiving(dates=dates))


@pytest.mark.parametrize("key", ["id", "match", "reason", "owner"])
def test_a_waiver_has_a_reason_and_an_owner(key: str) -> None:
    fields = {"id": "W-1", "match": "{item: a}", "reason": "r", "owner": "o"}
    left = ", ".join(f"{name}: {value}" for name, value in fields.items() if name != key)
    with pytest.raises(DocumentError, match=f"missing key '{key}'"):
        policy(f"version: 1\nwaivers: [{{{left}, expires: 2026-07-01}}]\n")


@pytest.mark.parametrize("key", ["reason", "owner"])
def test_a_blank_reason_or_owner_is_none(key: str) -> None:
    fields = {"id": "W-1", "match": "{item: a}", "reason": "r", "owner": "o"} | {key: '"  "'}
    text = ", ".join(f"{name}: {value}" for name, value in fields.items())
    with pytest.raises(DocumentError, match=f"{key}.*must not be blank"):
        policy(f"version: 1\nwaivers: [{{{text}, expires: 2026-07-01}}]\n")


def printed(tmp_path: Path, dates: str, *arguments: str, match: str = "item: a") -> tuple[int, str]:
    write(tmp_path, policy_yaml=waiving(match, dates))
    output, _ = evaluate(tmp_path, BLOCKS, "--policy", tmp_path / "policy.yaml", *arguments)
    return output.code, output.out


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ("expires: 2026-06-29", "W-1 (owner dba-team, until 2026-06-29): expires in 14 days"),
        ("expires: 2026-06-15", "W-1 (owner dba-team, until 2026-06-15): expires today"),
        ("expires: 2026-06-14", "W-1 (owner dba-team, until 2026-06-14): expired 1 day ago"),
        ("since: 2026-06-16, expires: 2026-06-20", "until 2026-06-20): not active yet"),
    ],
)
def test_waivers_that_need_a_look_are_listed(dates: str, says: str, tmp_path: Path) -> None:
    assert says in printed(tmp_path, dates)[1]


def test_a_waiver_that_runs_longer_and_one_without_effect_are_listed(tmp_path: Path) -> None:
    said = printed(tmp_path, "expires: 2026-06-30")[1]
    assert "W-1 (owner dba-team, until 2026-06-30): waived 1 finding" in said
    assert (
        "W-1 (owner dba-team, until 2026-06-30): waived nothing"
        in printed(tmp_path, "expires: 2026-06-30", match="item: zzz")[1]
    )


@pytest.mark.parametrize(
    ("dates", "match", "says"),
    [
        ("expires: 2026-06-14", "item: zzz", "the waiver W-1 expired on 2026-06-14"),
        ("expires: 2026-06-20", "item: zzz", "the waiver W-1 waived nothing"),
        ("expires: 2026-06-20", "item: a", None),
        ("since: 2026-06-16, expires: 2026-06-20", "item: zzz", None),
    ],
)
def test_strict_waivers_blocks_what_expired_or_waived_nothing(
    dates: str, match: str, says: str | None
) -> None:
    green = body(entry(items=[item("a", "ALARM" if match == "item: a" else "PASSED")]))
    text = waiving(match, dates)
    assert judged(text, green).verdict.green
    strict = judged(text, green, strict_waivers=True)
    assert strict.verdict.green is (says is None)
    if says is not None:
        [finding] = strict.run.findings
        assert finding.message == says
        assert finding.decided_by == "policy.yaml:4 waivers[0], --strict-waivers"


def test_strict_waivers_is_an_option_of_the_program(tmp_path: Path) -> None:
    code, out = printed(tmp_path, "expires: 2026-06-20", "--strict-waivers", match="item: zzz")
    assert (code, "the waiver W-1 waived nothing" in out) == (1, True)


def test_of_several_waivers_the_first_that_applies_waives_and_the_others_are_unused() -> None:
    second = "- {id: W-2, match: {item: a}, reason: r, owner: o, expires: 2026-07-01}\n"
    result = judged(waiving(dates="expires: 2026-06-14", more=second))
    assert [use.state for use in result.run.waivers] == [WaiverState.EXPIRED, WaiverState.USED]
    result = judged(waiving(more=second))
    assert [use.state for use in result.run.waivers] == [WaiverState.USED, WaiverState.UNUSED]


def test_a_waiver_for_one_task_leaves_another_blocked() -> None:
    content = body(*(entry(one, items=[item("a", "ALARM")]) for one in (TASK, OTHER)))
    result = judge(content, [TASK, OTHER], policy(waiving(f"item: a, task: {TASK}")))
    assert [task.verdict.green for task in result.tasks] == [True, False]
    assert result.run.waivers[0].used == 1


def test_a_waived_required_item_warns_present_or_absent() -> None:
    more = "required_items: [a]\n"
    assert judged(waiving(more=more)).verdict is Verdict.PASSED_WITH_WARNINGS
    absent = judged(waiving(more=more), body(entry()))
    assert absent.verdict is Verdict.PASSED_WITH_WARNINGS
    assert absent.says("a is required but was not checked")
