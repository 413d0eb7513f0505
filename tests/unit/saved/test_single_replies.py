"""What one saved reply says of each task that was asked for in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.saved.answers.entries import entries_of
from precheck_gate.saved.run_file import Exchange
from tests.support.harness import body, entry, task_id

if TYPE_CHECKING:
    from collections.abc import Mapping

ASKED = tuple(task_id(number) for number in range(3))
FIRST, SECOND, THIRD = ASKED


def said_of_each(status: int, content: Any, request_id: str = "r-77") -> Mapping[str, Any]:
    exchange = Exchange("2026-06-15T00:00:00Z", "0001.json", status, "", ASKED, request_id)
    spelt = content if isinstance(content, bytes) else json.dumps(content).encode()
    entries, _ = entries_of(exchange, spelt)
    assert set(entries) == set(ASKED)
    return entries


def refused(*ids: str) -> dict[str, Any]:
    culprits = [{"id": one, "error_code": "DRS.M00289", "error_msg": "absent"} for one in ids]
    return {"error_code": "DRS.M00202", "error_msg": "bad request", "results": culprits}


def test_only_the_tasks_that_a_refusal_names_are_in_error() -> None:
    entries = said_of_each(400, refused(SECOND))
    assert [entries[one].kind for one in ASKED] == [
        TroubleKind.SERVICE,
        TroubleKind.TASK_ERROR,
        TroubleKind.SERVICE,
    ]
    assert (entries[SECOND].code, entries[SECOND].message) == ("DRS.M00289", "absent")
    assert entries[FIRST].code == "DRS.M00202"


def test_all_tasks_of_a_refusal_that_names_none_of_them_are_in_error() -> None:
    for content in (refused(), refused(task_id(9))):
        entries = said_of_each(400, content)
        assert {entries[one].kind for one in ASKED} == {TroubleKind.TASK_ERROR}
        assert {entries[one].code for one in ASKED} == {"DRS.M00202"}


def test_a_refusal_is_told_with_the_id_of_its_request() -> None:
    assert "r-77" in said_of_each(503, b"")[FIRST].message
    assert "request" not in said_of_each(503, b"", request_id="")[FIRST].message
    in_body = {"error_code": "X.1", "error_msg": "no", "request_id": "r-99"}
    assert "r-99" in said_of_each(503, in_body, request_id="")[FIRST].message


def test_a_task_that_an_answer_leaves_out_was_not_answered_for() -> None:
    entries = said_of_each(200, body(entry(SECOND)))
    assert isinstance(entries[SECOND], Snapshot)
    for one in (FIRST, THIRD):
        assert isinstance(entries[one], Trouble)
        assert entries[one].kind is TroubleKind.NOT_ANSWERED


def test_what_is_no_answer_is_a_fault_of_the_service_for_each_task() -> None:
    for content in (b"<html>", b"[]"):
        entries = said_of_each(200, content)
        assert {entries[one].kind for one in ASKED} == {TroubleKind.SERVICE}
