"""An error is read wherever it stands: at the top, nested, or on one of many tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate.drs.http.replies import (
    TRY_AGAIN,
    ServiceMessage,
    error_hint,
    error_in,
    parse_error,
)
from tests.support.harness import OTHER, TASK


def read(document: Any) -> ServiceMessage:
    return parse_error(json.dumps(document).encode())


def test_what_is_lacking_leaves_no_gap_in_the_words() -> None:
    assert str(ServiceMessage("X.1", "gone")) == "X.1 gone"
    assert str(ServiceMessage("X.1")) == "X.1"
    assert str(ServiceMessage(message="gone")) == "gone"
    assert str(ServiceMessage()) == ""


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"[]", b"7", b"null", b'"text"'])
def test_a_body_of_another_kind_says_nothing(content: bytes) -> None:
    assert parse_error(content) == ServiceMessage()


# --- the batch shape ------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [1, None, "x", [], {}, {"id": OTHER, "status": "success"}])
def test_the_task_at_fault_is_found_behind_entries_without_an_error(before: Any) -> None:
    said = read({"results": [before, {"id": TASK, "error_code": "X.1", "error_msg": "gone"}]})
    assert said == ServiceMessage("X.1", "gone", culprits=((TASK, ("X.1", "gone")),))


def test_every_task_at_fault_keeps_its_own_words_and_the_first_speaks_for_all() -> None:
    said = read(
        {
            "request_id": "r-1",
            "results": [
                {"id": TASK, "error_code": "X.1", "error_msg": "gone"},
                {"id": OTHER, "error_code": "X.2", "error_msg": "busy"},
            ],
        }
    )
    assert (said.code, said.message, said.request_id) == ("X.1", "gone", "r-1")
    assert dict(said.culprits) == {TASK: ("X.1", "gone"), OTHER: ("X.2", "busy")}


@pytest.mark.parametrize(
    ("own", "code", "message"),
    [
        ({"error_code": "A.1", "error_msg": "all"}, "A.1", "all"),
        ({"error_code": "A.1"}, "A.1", ""),
        ({"error_msg": "all"}, "", "all"),
        ({}, "X.1", "gone"),
    ],
)
def test_what_the_answer_says_of_itself_comes_before_its_tasks(
    own: dict[str, str], code: str, message: str
) -> None:
    said = read({**own, "results": [{"id": TASK, "error_code": "X.1", "error_msg": "gone"}]})
    assert (said.code, said.message) == (code, message)
    assert dict(said.culprits) == {TASK: ("X.1", "gone")}


@pytest.mark.parametrize(
    ("names", "task"),
    [
        ({"id": TASK, "precheck_id": OTHER, "job_id": OTHER}, TASK),
        ({"id": "", "precheck_id": TASK, "job_id": OTHER}, TASK),
        ({"id": None, "precheck_id": 5, "job_id": TASK}, TASK),
    ],
)
def test_an_entry_blames_one_task_the_first_that_it_names(names: dict[str, Any], task: str) -> None:
    assert [one for one, _ in read({"results": [{**names, "error_code": "X.1"}]}).culprits] == [
        task
    ]


@pytest.mark.parametrize("name", ["", None, 5, [TASK]])
def test_an_entry_without_a_name_blames_nobody_and_is_still_heard(name: Any) -> None:
    said = read({"results": [{"id": name, "error_code": "X.1"}]})
    assert (said.code, said.culprits) == ("X.1", ())


# --- names of fields ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["error_code", "errorCode", "code"])
def test_the_code_has_three_names(key: str) -> None:
    assert error_in({key: "X.1"}) == ServiceMessage("X.1")
    assert error_in({key: "X.1", "error": "broken"}) == ServiceMessage("X.1")


@pytest.mark.parametrize("key", ["error_msg", "errorMsg", "message"])
def test_the_message_has_three_names(key: str) -> None:
    assert error_in({key: "gone"}) == ServiceMessage(message="gone")
    assert error_in({key: "gone", "error": "broken"}) == ServiceMessage(message="gone")


def test_the_first_field_that_says_anything_counts() -> None:
    said = error_in({"error_code": None, "errorCode": "", "code": "X.1", "message": "gone"})
    assert said == ServiceMessage("X.1", "gone")
    assert error_in({"error_code": "X.1", "code": "X.2"}) == ServiceMessage("X.1")


@pytest.mark.parametrize("key", ["error", "errors"])
@pytest.mark.parametrize(
    ("nested", "code", "message"),
    [
        ({"code": "X.1", "message": "gone"}, "X.1", "gone"),
        ([{"code": "X.1"}, {"code": "X.2", "message": "gone"}], "X.1", "gone"),
        (["x", {"code": "X.1", "message": "gone"}], "X.1", "gone"),
        ([{"message": "gone"}, {"code": "X.1", "message": "busy"}], "X.1", "gone"),
        ("broken", "", "broken"),
        (["broken"], "", '["broken"]'),
        ({}, "", "{}"),
        (0, "", "0"),
        (False, "", "false"),
    ],
)
def test_a_nested_error_is_one(key: str, nested: Any, code: str, message: str) -> None:
    assert error_in({key: nested}) == ServiceMessage(code, message)
    other = "errors" if key == "error" else "error"
    assert error_in({other: None, key: nested}) == ServiceMessage(code, message)
    assert error_in({other: "", key: nested}) == ServiceMessage(code, message)


def test_what_stands_beside_a_nested_error_comes_before_it() -> None:
    nested = {"code": "X.2", "message": "gone"}
    assert error_in({"code": "X.1", "error": nested}) == ServiceMessage("X.1", "gone")
    assert error_in({"message": "busy", "error": nested}) == ServiceMessage("X.2", "busy")
    assert error_in({"error": {"code": "X.1"}, "errors": [nested]}) == ServiceMessage("X.1", "gone")


@pytest.mark.parametrize("none", [None, ""])
def test_null_and_empty_fields_are_no_error(none: str | None) -> None:
    names = ("error_code", "errorCode", "code", "error_msg", "errorMsg", "message")
    assert error_in(dict.fromkeys((*names, "error", "errors"), none)) is None
    assert error_in({}) is None


# --- what to do -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["DRS.M00289", "DRS.10000010", "DRS.M05004", "DRS.M00202"])
def test_what_to_do_about_a_known_code_is_not_what_to_do_about_any(code: str) -> None:
    assert error_hint(code)
    assert error_hint(code) != error_hint("DRS.M99999")
    assert error_hint("DRS.M99999")


@pytest.mark.parametrize("code", ["DRS.M01501", "DRS.M01503", "DRS.M01504", "APIGW.0308"])
def test_a_code_that_asks_for_another_try_is_known_as_such(code: str) -> None:
    assert code in TRY_AGAIN
    assert "--grace" in error_hint(code)
    assert "--grace" not in error_hint("DRS.M99999")
