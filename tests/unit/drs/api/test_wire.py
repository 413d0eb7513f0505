"""The wire format: the checks by hand say the same as the published schema; errors are read."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.documents.validation import load_schema
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.drs.http.replies import parse_error
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import Snapshot, Status, Trouble, TroubleKind
from tests.support.harness import TASK, body, entry, item
from tests.support.oracle import documents, junk

VALIDATOR = jsonschema.Draft202012Validator(load_schema("answer-1"))


@given(documents | junk)
def test_the_checks_by_hand_and_the_schema_agree(document: Any) -> None:
    try:
        answer = parse_answer(json.dumps(document).encode())
    except NotAnAnswer:
        assert not VALIDATOR.is_valid(document)
        return
    troubles = {one.kind for one in answer.entries.values() if isinstance(one, Trouble)}
    if TroubleKind.MALFORMED in troubles and not any(map(_names_two, document["results"])):
        assert not VALIDATOR.is_valid(document)
    if not troubles & {TroubleKind.MALFORMED, TroubleKind.CONTRADICTORY}:
        assert VALIDATOR.is_valid(document)


def _names_two(one: dict[str, Any]) -> bool:
    """Whether an entry names two tasks, which no schema can say."""
    names = {name for key in ("precheck_id", "id") if isinstance(name := one.get(key), str)}
    return len([name for name in names if name.strip()]) == 2


@pytest.mark.parametrize("name", ["mysql", "dds"])
def test_the_documented_answers_are_read_in_full(name: str) -> None:
    from precheck_gate.simulator.scenario import documented_answer

    said = documented_answer(name)
    document = {"results": [said], "count": 1}
    VALIDATOR.validate(document)
    answer = parse_answer(json.dumps(document).encode())
    snapshot = answer.entries[said["precheck_id"]]
    assert isinstance(snapshot, Snapshot)
    assert snapshot.complete
    assert snapshot.ready
    assert (snapshot.direction, snapshot.passed_rate) == ("up", "100%")
    assert [(one.name, one.raw_status, one.group) for one in snapshot.items] == [
        (one["item"], one["result"], one["group"]) for one in said["precheck_result"]
    ]
    assert [one.data for one in snapshot.items] == [
        one.get("data", "") for one in said["precheck_result"]
    ]
    assert answer.remarks == ()


def test_what_is_sent_beside_the_documented_fields_is_ignored() -> None:
    answer = parse_answer(body(entry(is_new=True, items=[item(is_skipped=False)]), more=1))
    assert isinstance(answer.entries[TASK], Snapshot)


def test_texts_of_another_type_keep_their_json_form() -> None:
    answer = parse_answer(body(entry(items=[item(data={"a": 1}, failed_reason=5, group=None)])))
    snapshot = answer.entries[TASK]
    assert isinstance(snapshot, Snapshot)
    [one] = snapshot.items
    assert (one.data, one.failed_reason, one.group) == ('{"a":1}', "5", "")
    assert one.status is Status.PASSED


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ({"error_code": "DRS.M00202", "error_msg": "bad"}, "DRS.M00202", "bad"),
        (
            {"error_code": "APIGW.0301", "error_msg": "no", "request_id": "r"},
            "APIGW.0301",
            "no",
        ),
        ({"error": {"code": "X.1", "message": "m"}}, "X.1", "m"),
        ({"error": {"code": 401, "message": "m"}}, "401", "m"),
        (
            {"results": [{"id": TASK, "error_code": "DRS.M00289", "error_msg": "g"}], "count": 1},
            "DRS.M00289",
            "g",
        ),
        ([], "", ""),
        ({}, "", ""),
        ("x", "", ""),
        ({"results": "x", "error_code": None}, "", ""),
        ({"results": [1, {}]}, "", ""),
    ],
)
def test_errors_are_read_in_every_shape(document: Any, code: str, message: str) -> None:
    said = parse_error(json.dumps(document).encode())
    assert (said.code, said.message) == (code, message)


@pytest.mark.parametrize("key", ["id", "precheck_id", "job_id"])
def test_the_task_at_fault_is_learnt_from_the_batch_shape(key: str) -> None:
    document = {"results": [{key: TASK, "error_code": "DRS.M00289"}], "count": 1}
    assert dict(parse_error(json.dumps(document).encode()).culprits) == {TASK: ("DRS.M00289", "")}


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_fail_in_another_way(content: bytes) -> None:
    parse_error(content)
    with contextlib.suppress(NotAnAnswer):
        assert isinstance(parse_answer(content).entries, dict)
