"""Each field of a result: what is read from it, and which types make the result malformed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Item, Snapshot, Status, SubTask, Trouble, TroubleKind
from tests.support.harness import TASK, body, entry, item, without


def read(**fields: Any) -> Snapshot | Trouble:
    return parse_answer(body(entry(**fields))).entries[TASK]


def snapshot(**fields: Any) -> Snapshot:
    found = read(**fields)
    assert isinstance(found, Snapshot)
    return found


def only_item(**fields: Any) -> Item:
    [one] = snapshot(items=[item(**fields)]).items
    return one


def malformed(**fields: Any) -> bool:
    found = read(**fields)
    if not isinstance(found, Trouble):
        return False
    assert found.kind is TroubleKind.MALFORMED
    assert found.hint
    return True


# --- the outcome ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "progress", "shown"),
    [
        (0, 0, "0"),
        (100, 100, "100"),
        (99.5, Decimal("99.5"), "99.5"),
        ("0%", 0, '"0%"'),
        ("100%", 100, '"100%"'),
        (-1, None, "-1"),
        (-0.5, None, "-0.5"),
        (101, None, "101"),
        (100.5, None, "100.5"),
        ("101%", None, '"101%"'),
        (True, None, "true"),
        (False, None, "false"),
        (None, None, "null"),
        ([100], None, "[100]"),
        ({}, None, "{}"),
    ],
)
def test_the_progress_is_a_percentage_or_unknown_and_is_kept_as_sent(
    sent: Any, progress: Any, shown: str
) -> None:
    found = snapshot(process=sent)
    assert found.progress == progress
    assert (found.progress is None) == (progress is None)
    assert found.raw_progress == shown


@pytest.mark.parametrize(
    ("sent", "shown"), [(True, "true"), (False, "false"), (None, "null"), (1, "1"), ("a", '"a"')]
)
def test_only_true_is_ready_and_the_result_is_kept_as_sent(sent: Any, shown: str) -> None:
    found = snapshot(result=sent)
    assert (found.ready, found.raw_result) == (sent is True, shown)


def test_a_field_that_is_not_there_is_kept_as_nothing() -> None:
    bare = without(without(entry(), "process"), "result")
    found = parse_answer(body(bare)).entries[TASK]
    assert isinstance(found, Snapshot)
    assert (found.raw_progress, found.raw_result, found.ready) == ("", "", False)
    assert (found.direction, found.passed_rate, found.instance_id) == ("", "", "")


def test_what_else_a_result_says_is_read() -> None:
    found = snapshot(job_direction="up", total_passed_rate="50%", rds_instance_id="in-1")
    assert (found.direction, found.passed_rate, found.instance_id) == ("up", "50%", "in-1")
    found = snapshot(job_direction=5, total_passed_rate=50.5, rds_instance_id=7)
    assert (found.direction, found.passed_rate, found.instance_id) == ("", "50.5", "7")


# --- items ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("items", ["x", {}, 5, True, [1], [None], [item(), "x"]])
def test_items_that_are_no_list_of_objects_are_malformed(items: Any) -> None:
    assert malformed(items=items)


def test_a_result_without_items_has_none() -> None:
    assert snapshot(precheck_result=None).items == ()
    assert snapshot(precheck_result=[]).items == ()


@pytest.mark.parametrize("name", [None, 5, [], "", " "])
def test_an_item_without_a_name_is_malformed(name: Any) -> None:
    assert malformed(items=[item(), {**item(), "item": name}])


def test_an_item_is_read_in_full() -> None:
    sub = {"id": "s-1", "name": "t", "check_result": "ALARM"}
    found = only_item(
        name="a",
        result="FAILED",
        failed_reason="why",
        data="d",
        raw_error_msg="raw",
        failed_sub_jobs=[sub],
        is_skipped=True,
        is_support_skip=True,
    )
    assert found == Item(
        name="a",
        group="network",
        status=Status.FAILED,
        raw_status="FAILED",
        failed_reason="why",
        data="d",
        raw_error="raw",
        sub_tasks=(SubTask(id="s-1", name="t", status=Status.ALARM, raw_status="ALARM"),),
        skipped=True,
        skippable=True,
    )


@pytest.mark.parametrize("said", [None, False])
def test_an_item_that_nobody_skipped_is_not_skipped(said: bool | None) -> None:
    found = only_item(is_skipped=said, is_support_skip=said)
    assert (found.skipped, found.skippable) == (False, False)


@pytest.mark.parametrize("said", ["true", 1, [True]])
def test_only_true_makes_an_item_skippable(said: Any) -> None:
    assert not only_item(is_support_skip=said).skippable


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, ""),
        ({"raw_error_msg": "raw"}, "raw"),
        ({"error_msg": "gone"}, "gone"),
        ({"raw_error_msg": "raw", "error_msg": "gone"}, "raw\ngone"),
        ({"raw_error_msg": 5}, "5"),
    ],
)
def test_what_is_raw_and_what_is_an_error_are_both_shown(
    fields: dict[str, Any], shown: str
) -> None:
    assert only_item(result="FAILED", **fields).raw_error == shown


@pytest.mark.parametrize("error", [{"error_code": "X.1"}, {"error_msg": "gone"}, {"error": {}}])
@pytest.mark.parametrize("status", ["PASSED", "ALARM", "FAILED"])
def test_a_pass_with_an_error_beside_it_is_none_and_any_other_status_stays(
    error: dict[str, Any], status: str
) -> None:
    passed = status == "PASSED"
    found = only_item(result=status, **error)
    assert (found.status is Status.UNKNOWN) == passed
    assert (found.raw_status == status) != passed
    assert ("X.1" in found.raw_status) == (passed and "error_code" in error)
    assert "()" not in found.raw_status
    [sub] = only_item(failed_sub_jobs=[{"id": "s", "check_result": status, **error}]).sub_tasks
    assert (sub.status, sub.raw_status) == (found.status, found.raw_status)


def test_the_code_of_an_error_beside_a_pass_is_bounded() -> None:
    assert len(only_item(error_code="x" * 10_000).raw_status) < 150


# --- sub-tasks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("subs", ["x", {}, 5, False, [1], [None], [{"id": "s"}, "x"]])
def test_sub_tasks_that_are_no_list_of_objects_are_malformed(subs: Any) -> None:
    assert malformed(items=[item(failed_sub_jobs=subs)])


@pytest.mark.parametrize("subs", [None, []])
def test_an_item_without_sub_tasks_has_none(subs: Any) -> None:
    assert only_item(failed_sub_jobs=subs).sub_tasks == ()


def test_what_a_sub_task_does_not_say_is_unknown() -> None:
    [sub] = only_item(failed_sub_jobs=[{}]).sub_tasks
    assert (sub.id, sub.name, sub.status, sub.raw_status) == ("", "", Status.UNKNOWN, "")
    [sub] = only_item(failed_sub_jobs=[{"id": 5, "name": 7, "check_result": 1}]).sub_tasks
    assert (sub.id, sub.name, sub.status, sub.raw_status) == ("5", "7", Status.UNKNOWN, "1")


# --- errors of a task -----------------------------------------------------------------------------


def test_an_error_on_a_result_is_the_tasks_with_what_to_do() -> None:
    found = read(error_code="DRS.M05004", error_msg="gone")
    assert isinstance(found, Trouble)
    assert (found.kind, found.code, found.message) == (TroubleKind.TASK_ERROR, "DRS.M05004", "gone")
    other = read(error_code="X.1")
    assert isinstance(other, Trouble)
    assert other.message
    assert other.hint != found.hint
