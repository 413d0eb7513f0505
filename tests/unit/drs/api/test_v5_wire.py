"""The wire format of v5: what is not as documented is never a result."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from precheck_gate.drs.api.v5 import parse_page, parse_result, parse_started
from precheck_gate.drs.http.parallel import in_parallel
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from tests.support.harness import OTHER, TASK, item

PRECHECK = {"result": True, "process": "100%", "precheck_results": [item()]}


def result(precheck: Any, task: str = TASK) -> Snapshot | Trouble:
    document = {"job": {"id": task, "status": "CONFIGURATION", "precheck_result": precheck}}
    return parse_result(TASK, json.dumps(document).encode())


def test_a_result() -> None:
    snapshot = result(PRECHECK)
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.ready, snapshot.complete, len(snapshot.items)) == (True, True, 1)


def test_a_skipped_item_is_seen() -> None:
    snapshot = result({**PRECHECK, "precheck_results": [item(is_skipped=True)]})
    assert isinstance(snapshot, Snapshot)
    assert snapshot.items[0].skipped


@pytest.mark.parametrize("precheck", [None, [], "x", True])
def test_no_result(precheck: Any) -> None:
    trouble = result(precheck)
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.NOT_ANSWERED


def test_items_in_the_place_of_v3_are_not_passed_over() -> None:
    trouble = result({**PRECHECK, "precheck_result": [item(result="FAILED")]})
    assert isinstance(trouble, Trouble)


def test_an_error_in_the_result_is_one() -> None:
    trouble = result({**PRECHECK, "error_code": "X.1"})
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.TASK_ERROR


ERRORS: list[dict[str, Any]] = [
    {"error_code": "X.1"},
    {"error_msg": "broken"},
    {"errorCode": "X.1"},
    {"errorMsg": "broken"},
    {"error": {"code": "X.1", "message": "broken"}},
    {"error": "broken"},
]


@pytest.mark.parametrize("more", ERRORS)
@pytest.mark.parametrize("place", ["document", "job", "precheck_result"])
def test_an_error_beside_a_pass_is_one_wherever_it_stands(more: dict[str, Any], place: str) -> None:
    precheck = {**PRECHECK, **(more if place == "precheck_result" else {})}
    job = {"id": TASK, "precheck_result": precheck, **(more if place == "job" else {})}
    document = {"job": job, **(more if place == "document" else {})}
    trouble = parse_result(TASK, json.dumps(document).encode())
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.TASK_ERROR
    assert (trouble.code or "X.1", trouble.message) in (
        ("X.1", "broken"),
        ("X.1", "the service reports an error for this task without a message"),
    )


@pytest.mark.parametrize("none", [None, ""])
@pytest.mark.parametrize("key", ["error_code", "error_msg", "errorCode", "errorMsg", "error"])
def test_null_and_empty_are_no_error(key: str, none: str | None) -> None:
    document = {key: none, "job": {"id": TASK, key: none, "precheck_result": PRECHECK}}
    assert isinstance(parse_result(TASK, json.dumps(document).encode()), Snapshot)


def test_an_error_without_a_result_says_why() -> None:
    document = {"job": {"id": TASK, "error_code": "X.1", "error_msg": "broken"}}
    trouble = parse_result(TASK, json.dumps(document).encode())
    assert isinstance(trouble, Trouble)
    assert (trouble.kind, trouble.code) == (TroubleKind.TASK_ERROR, "X.1")


def test_the_result_of_another_task_is_refused() -> None:
    with pytest.raises(NotAnAnswer, match="another"):
        result(PRECHECK, OTHER)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"job": []}', b'{"job": {}, "job": {}}'])
def test_no_answer(content: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        parse_result(TASK, content)
    with pytest.raises(NotAnAnswer):
        parse_started(content)
    with pytest.raises(NotAnAnswer):
        parse_page(content)


def test_a_start_without_a_query_id_is_none() -> None:
    told = parse_started(
        json.dumps({"jobs": [{"id": TASK}, {"id": OTHER, "query_id": "q"}]}).encode()
    )
    assert isinstance(told[TASK], Trouble)
    assert told[OTHER] == "q"


def test_work_goes_on_at_once_but_not_without_bound() -> None:
    running, most, lock = [0], [0], threading.Lock()
    gate = threading.Event()

    def work(name: str) -> str:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            if running[0] == 3:
                gate.set()
        gate.wait(2)
        with lock:
            running[0] -= 1
        if name == "7":
            raise ValueError(name)
        return name

    began = time.monotonic()
    done = in_parallel(work, [str(number) for number in range(10)], 3)
    assert time.monotonic() - began < 2
    assert most[0] == 3
    assert isinstance(done.pop("7"), ValueError)
    assert done == {name: name for name in done}
    assert len(done) == 9
