"""A word of the service against its own result: on an item it is unknown, on an entry an error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.drs.api.v5 import parse_result
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import Item, Snapshot, Status, Trouble, TroubleKind
from precheck_gate.model.verdicts import Verdict
from tests.support.harness import (
    TASK,
    body,
    entry,
    item,
    judge,
    policy,
)

ERRORS: list[dict[str, Any]] = [
    {"error_code": "DRS.M05011"},
    {"error_code": 5011},
    {"error_msg": "could not look"},
    {"errorCode": "DRS.M05011"},
    {"errorMsg": "could not look"},
    {"error": "could not look"},
    {"error": {"code": "DRS.M05011", "message": "could not look"}},
    {"code": "DRS.M05011"},
    {"code": 0},
    {"message": "could not look"},
    {"errors": ["could not look"]},
    {"errors": [{"code": "DRS.M05011", "message": "could not look"}]},
    {"errors": {"code": "DRS.M05011"}},
    {"errors": False},
]
KEYS = ("error_code", "error_msg", "errorCode", "errorMsg", "error", "code", "message", "errors")
ALLOW = policy("version: 1\nextends: builtin:permissive\nstatuses: {unknown: allow}\n")


def items_of(content: bytes) -> tuple[Item, ...]:
    snapshot = parse_answer(content).entries[TASK]
    assert isinstance(snapshot, Snapshot)
    return snapshot.items


@pytest.mark.parametrize("more", ERRORS)
def test_a_passed_item_with_an_error_of_its_own_is_unknown(more: dict[str, Any]) -> None:
    [one] = items_of(body(entry(items=[item(**more)])))
    assert one.status is Status.UNKNOWN
    assert one.raw_status.startswith("PASSED with an error")
    said = str(more)
    assert ("5011" in one.raw_status) == ("5011" in said)
    assert ("could not look" in one.raw_error) == ("could not look" in said)
    judged = judge(body(entry(items=[item(**more)])))
    assert (judged.verdict, judged.code) == (Verdict.BLOCKED, 1)
    assert judged.says("is PASSED, but the service also reports an error")
    assert not judged.says("does not document")
    # What the catalogue advises on a failed check does not explain an error of the service.
    [step] = [one.next_step for one in judged.findings if one.title == item()["item"]]
    assert step.startswith("Run the pre-check again")
    # It is the policy's `unknown` that decides, as of any status that says nothing.
    assert judge(body(entry(items=[item(**more)])), by=ALLOW).code == 0


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("none", [None, ""])
def test_null_and_empty_are_no_error_of_an_item(key: str, none: Any) -> None:
    [one] = items_of(body(entry(items=[item(**{key: none})])))
    assert (one.status, one.raw_status, one.raw_error) == (Status.PASSED, "PASSED", "")


def test_what_the_service_documents_of_an_item_is_no_error_of_it() -> None:
    said = item(raw_error_msg="slow", failed_reason="SLOW", data="{}", is_skipped=False)
    [one] = items_of(body(entry(items=[said])))
    assert (one.status, one.raw_error, one.failed_reason) == (Status.PASSED, "slow", "SLOW")


@pytest.mark.parametrize("result", ["ALARM", "FAILED"])
def test_an_item_that_did_not_pass_keeps_its_status_beside_an_error(result: str) -> None:
    [one] = items_of(body(entry(items=[item(result=result, error_msg="m", raw_error_msg="r")])))
    assert (one.status.value, one.raw_status, one.raw_error) == (result, result, "r\nm")


@pytest.mark.parametrize("more", ERRORS)
def test_a_passed_sub_task_with_an_error_of_its_own_is_unknown(more: dict[str, Any]) -> None:
    sub = {"id": "s", "name": "shard", "check_result": "PASSED", **more}
    content = body(entry(items=[item(failed_sub_jobs=[sub])]))
    [one] = items_of(content)
    assert one.sub_tasks[0].status is Status.UNKNOWN
    assert one.sub_tasks[0].raw_status.startswith("PASSED with an error")
    judged = judge(content)
    assert judged.code == 1
    assert judged.says("is PASSED for the sub-task shard s, but the service also reports an error")


@pytest.mark.parametrize("more", ERRORS)
def test_an_error_on_an_entry_is_one_of_the_task(more: dict[str, Any]) -> None:
    trouble = parse_answer(body(entry(**more))).entries[TASK]
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.TASK_ERROR
    assert judge(body(entry(**more))).code == 4


@pytest.mark.parametrize("more", ERRORS)
def test_an_error_at_the_top_makes_it_no_answer(more: dict[str, Any]) -> None:
    with pytest.raises(NotAnAnswer, match="carries an error"):
        parse_answer(body(entry(), **more))


@pytest.mark.parametrize(
    "more", [{"code": "X.1", "message": "m"}, {"errors": [{"code": "X.1", "message": "m"}]}]
)
def test_the_code_and_the_words_of_an_error_are_told(more: dict[str, Any]) -> None:
    trouble = parse_answer(body(entry(**more))).entries[TASK]
    assert isinstance(trouble, Trouble)
    assert (trouble.code, trouble.message) == ("X.1", "m")


@pytest.mark.parametrize("more", ERRORS)
def test_the_same_holds_for_v5(more: dict[str, Any]) -> None:
    def parsed(*, of_item: bool) -> Snapshot | Trouble:
        result = {"result": True, "process": "100%"}
        items = {"precheck_results": [item(**(more if of_item else {}))]}
        precheck = {**result, **items, **({} if of_item else more)}
        document = {"job": {"id": TASK, "precheck_result": precheck}}
        return parse_result(TASK, json.dumps(document).encode())

    snapshot = parsed(of_item=True)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.items[0].status is Status.UNKNOWN
    trouble = parsed(of_item=False)
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.TASK_ERROR


# --- sub-tasks of another shape -------------------------------------------------------------------


@pytest.mark.parametrize("sub", [None, 1, "s", True, [], [{"check_result": "PASSED"}]])
def test_a_sub_task_that_is_no_object_makes_the_answer_malformed(sub: Any) -> None:
    content = body(entry(items=[item(failed_sub_jobs=[{"check_result": "PASSED"}, sub])]))
    trouble = parse_answer(content).entries[TASK]
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.MALFORMED
    assert "failed_sub_jobs is not an object" in trouble.message
    assert judge(content).code == 4


@pytest.mark.parametrize("subs", ["x", {}, {"id": "s"}, 1, True, False])
def test_sub_tasks_that_are_no_list_make_the_answer_malformed(subs: Any) -> None:
    trouble = parse_answer(body(entry(items=[item(failed_sub_jobs=subs)]))).entries[TASK]
    assert isinstance(trouble, Trouble)
    assert "failed_sub_jobs is not a list" in trouble.message
