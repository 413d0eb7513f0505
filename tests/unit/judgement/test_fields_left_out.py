"""A `group` or `job_direction` that DRS left out never switches a protection off."""

from __future__ import annotations

from typing import Any

import pytest

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect, Verdict
from precheck_gate.policy.model import Subject, rule_on
from tests.support.harness import (
    TASK,
    TODAY,
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
    without,
)

ABSENT = object()
LEFT_OUT: list[Any] = [ABSENT, None, "", " "]
NEW = "aCheckThatNoCatalogueKnows"


def grouped(status: str, group: Any, by: str, name: str = NEW) -> Judged:
    one = item(name, status) | {"group": group}
    one = without(one, "group") if group is ABSENT else one
    return judge(body(entry(items=[one], result=True)), by=policy(f"version: 1\n{by}"))


def directed(direction: Any, by: str, status: str = "ALARM") -> Judged:
    one = entry(items=[item(NEW, status)], job_direction=direction)
    one = without(one, "job_direction") if direction is ABSENT else one
    return judge(body(one), by=policy(f"version: 1\n{by}"))


WAIVER = "waivers: [{{id: W-1, match: {match}, reason: r, owner: o, expires: 2026-07-01}}]\n"
ANY_WAIVER = WAIVER.format(match="{item: '*'}")


def rules(*lines: str) -> str:
    return "rules:\n" + "".join(f"- {line}\n" for line in lines)


@pytest.mark.parametrize("group", LEFT_OUT)
def test_never_waive_by_group_holds_where_no_group_is_known(group: Any) -> None:
    judged = grouped("FAILED", group, f"never_waive: {{groups: [network]}}\n{ANY_WAIVER}")
    assert judged.verdict is Verdict.BLOCKED
    [trace] = [one.trace for one in judged.findings if one.title == NEW]
    assert trace[-1].endswith("not allowed by policy.yaml:2 never_waive (group unknown)")


@pytest.mark.parametrize("group", LEFT_OUT)
def test_never_waive_by_group_holds_for_the_group_that_the_catalogue_knows(group: Any) -> None:
    by = f"never_waive: {{groups: [network]}}\n{ANY_WAIVER}"
    assert grouped("FAILED", group, by, "srcDbConnection").verdict is Verdict.BLOCKED
    # The catalogue has this one in another group, so that it may be waived.
    assert grouped("FAILED", group, by, "srcDbBinlogIsOff").verdict.green


@pytest.mark.parametrize("group", LEFT_OUT)
def test_a_rule_by_group_that_blocks_holds_where_no_group_is_known(group: Any) -> None:
    judged = grouped("ALARM", group, rules("{match: {group: network}, effect: block}"))
    assert judged.verdict is Verdict.BLOCKED
    assert any(one.decided_by == "policy.yaml:3 rules[0]" for one in judged.findings)


@pytest.mark.parametrize("group", LEFT_OUT)
def test_an_earlier_rule_that_allows_does_not_hide_a_later_one_that_may_block(group: Any) -> None:
    by = rules(
        "{match: {group: network}, effect: block}", f"{{match: {{item: {NEW}}}, effect: allow}}"
    )
    assert grouped("ALARM", group, by).verdict is Verdict.BLOCKED
    allowed_first = rules(
        f"{{match: {{item: {NEW}}}, effect: allow}}", "{match: {group: network}, effect: block}"
    )
    assert grouped("ALARM", group, allowed_first).verdict is Verdict.PASSED


@pytest.mark.parametrize("group", LEFT_OUT)
@pytest.mark.parametrize("effect", ["allow", "warn"])
def test_a_rule_by_group_that_softens_does_not_hold_where_no_group_is_known(
    group: Any, effect: str
) -> None:
    by = "extends: builtin:strict\n" + rules(f"{{match: {{group: network}}, effect: {effect}}}")
    assert grouped("ALARM", group, by).verdict is Verdict.BLOCKED
    assert grouped("ALARM", "network", by).verdict.green
    # For an item of the catalogue its group is known, and softens as if it had been sent.
    assert grouped("ALARM", group, by, "srcDbConnection").verdict.green


@pytest.mark.parametrize("group", LEFT_OUT)
def test_a_rule_that_warns_still_warns_of_what_would_be_allowed_without_it(group: Any) -> None:
    by = (
        rules("{match: {group: network}, effect: warn}", "{match: {status: ALARM}, effect: allow}")
        + "limits: {max_warnings: 0}\n"
    )
    assert grouped("ALARM", group, by).verdict is Verdict.BLOCKED
    assert grouped("ALARM", "other", by).verdict is Verdict.PASSED


@pytest.mark.parametrize("group", LEFT_OUT)
def test_a_waiver_by_group_does_not_hold_where_no_group_is_known(group: Any) -> None:
    by = WAIVER.format(match="{group: network}")
    judged = grouped("FAILED", group, by)
    assert judged.verdict is Verdict.BLOCKED
    [trace] = [one.trace for one in judged.findings if one.title == NEW]
    assert trace[-1].endswith("may match (group unknown), not applied")
    assert grouped("FAILED", "network", by).verdict.green
    assert grouped("FAILED", group, by, "srcDbConnection").verdict.green


@pytest.mark.parametrize("group", LEFT_OUT)
def test_a_pattern_that_fits_everything_fits_what_is_not_known(group: Any) -> None:
    assert grouped("FAILED", group, WAIVER.format(match="{group: '*'}")).verdict.green
    assert not grouped("FAILED", group, WAIVER.format(match="{group: '?*'}")).verdict.green


def test_a_group_that_is_known_and_another_is_ruled_out() -> None:
    assert grouped(
        "ALARM", "other", rules("{match: {group: network}, effect: block}")
    ).verdict.green
    by = f"never_waive: {{groups: [network]}}\n{ANY_WAIVER}"
    assert grouped("FAILED", "other", by).verdict.green


@pytest.mark.parametrize("direction", LEFT_OUT)
def test_an_item_required_by_direction_is_required_where_the_direction_is_not_known(
    direction: Any,
) -> None:
    by = "required_items: [{item: dstDbConnection, direction: up}]\n"
    judged = directed(direction, by)
    assert judged.verdict is Verdict.BLOCKED
    [finding] = [one for one in judged.findings if one.title == "dstDbConnection"]
    assert finding.decided_by == "policy.yaml:2 required_items[0]"
    assert finding.trace[0].endswith("may be required (direction unknown) and not PASSED, blocks")
    assert directed("down", by).verdict.green
    present = f"required_items: [{{item: {NEW}, direction: up}}]\n"
    assert directed(direction, present).verdict is Verdict.BLOCKED
    assert directed(direction, present, "PASSED").verdict is Verdict.PASSED


@pytest.mark.parametrize("direction", LEFT_OUT)
def test_rules_and_waivers_by_direction_protect_and_do_not_soften(direction: Any) -> None:
    block = rules("{match: {direction: up}, effect: block}")
    assert directed(direction, block).verdict is Verdict.BLOCKED
    assert directed("down", block).verdict.green
    allow = "extends: builtin:strict\n" + rules("{match: {direction: up}, effect: allow}")
    assert directed(direction, allow).verdict is Verdict.BLOCKED
    waived = WAIVER.format(match="{direction: up}")
    assert directed(direction, waived, "FAILED").verdict is Verdict.BLOCKED
    assert directed("up", waived, "FAILED").verdict.green


def test_another_key_that_rules_a_match_out_still_does() -> None:
    by = rules("{match: {group: network, item: other}, effect: block}")
    assert grouped("ALARM", ABSENT, by).verdict.green
    by = rules("{match: {group: network, status: FAILED}, effect: block}")
    assert grouped("ALARM", ABSENT, by).verdict.green
    by = rules("{match: {group: network, direction: up}, effect: block}")
    one = without(entry(items=[item(NEW, "ALARM", group="other")]), "job_direction")
    assert judge(body(one), by=policy(f"version: 1\n{by}")).verdict.green


def test_the_trace_says_what_was_not_known_and_which_outcome_counts() -> None:
    by = policy(
        "version: 1\n"
        + rules(
            "{match: {group: a}, effect: block}",
            "{match: {direction: up}, effect: allow}",
            "{match: {status: ALARM}, effect: warn}",
        )
    )
    ruling = rule_on(by, Subject(TASK, "", "x", "", Status.ALARM, ""), TODAY)
    assert ruling.effect is Effect.BLOCK
    assert ruling.trace == (
        "policy.yaml:3 rules[0]: may match (group unknown)",
        "policy.yaml:4 rules[1]: may match (direction unknown)",
        "policy.yaml:5 rules[2]: matches, warn",
        "policy.yaml:3 rules[0]: stricter and may match, block",
    )
    ruling = rule_on(by, Subject(TASK, "", "x", "b", Status.ALARM, ""), TODAY)
    assert ruling.effect is Effect.WARN
    assert ruling.trace[-1] == "policy.yaml:5 rules[2]: matches, warn"


def test_the_group_that_the_catalogue_gave_is_said_in_the_trace_and_not_shown_as_drss() -> None:
    judged = grouped(
        "ALARM", ABSENT, rules("{match: {group: x}, effect: block}"), "srcDbConnection"
    )
    [finding] = [one for one in judged.findings if one.title == "srcDbConnection"]
    assert finding.group == ""
    assert finding.trace[0] == "DRS sent no group; the catalogue has network"
