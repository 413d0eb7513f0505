"""Any HTTP status but 200 is no answer, in both versions; 202 answers a start of v5 alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.api.v5 import DrsV5Client
from precheck_gate.drs.http.messages import Reply
from precheck_gate.errors import ServiceError
from precheck_gate.model.snapshots import Snapshot
from tests.support.fakes import FakeClock
from tests.support.harness import TASK, entry, item

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.drs.api.auto import Service

OTHERS = [201, 202, 203, 204, 206, 299, 301, 302, 304, 418]
RESULTS: dict[str, Any] = {
    "v3": {"results": [entry()], "count": 1},
    "v5": {
        "job": {
            "id": TASK,
            "precheck_result": {"result": True, "process": "100%", "precheck_results": [item()]},
        }
    },
}
STARTS: dict[str, Any] = {
    "v3": {"results": [{"id": TASK, "precheck_id": "p", "status": "success"}]},
    "v5": {"jobs": [{"id": TASK, "query_id": "q"}]},
}
DETAILS: dict[str, Any] = {
    "v3": {"results": [{"id": TASK, "name": "orders", "status": "CONFIGURATION"}]},
    "v5": {"job": {"id": TASK, "status": "CONFIGURATION", "base_info": {"name": "orders"}}},
}
PAGES: dict[str, Any] = {
    "v3": {"jobs": [{"id": TASK, "name": "orders"}], "total_record": 1},
    "v5": {"jobs": [{"id": TASK, "name": "orders"}], "total_count": 1},
}
CALLS: dict[str, tuple[dict[str, Any], Callable[[Service], Any]]] = {
    "results": (RESULTS, lambda client: client.precheck_results([TASK], 30.0)),
    "details": (DETAILS, lambda client: client.details([TASK], 30.0)),
    "statuses": (DETAILS, lambda client: client.statuses([TASK], 30.0)),
    "page": (PAGES, lambda client: client.task_page({}, 1, 10, 30.0)),
}


def client(version: str, reply: Reply) -> Service:
    if version == "v3":
        return DrsClient("http://127.0.0.1:1", lambda _: "p", lambda *_: reply, FakeClock())
    return DrsV5Client(
        "http://127.0.0.1:1",
        lambda _: "p",
        lambda *_: reply,
        FakeClock(),
        query_ids={TASK: "q"},
        language="en-us",
        advice=lambda _: "",
    )


def replied(document: Any, status: int) -> Reply:
    return Reply(status, {}, json.dumps(document).encode())


@pytest.mark.parametrize("version", ["v3", "v5"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", OTHERS)
def test_what_comes_under_another_status_is_no_answer(version: str, call: str, status: int) -> None:
    bodies, ask = CALLS[call]
    with pytest.raises(ServiceError, match=f"HTTP {status}|redirects"):
        ask(client(version, replied(bodies[version], status)))


@pytest.mark.parametrize("version", ["v3", "v5"])
@pytest.mark.parametrize("call", CALLS)
def test_the_same_under_200_is_one(version: str, call: str) -> None:
    bodies, ask = CALLS[call]
    assert ask(client(version, replied(bodies[version], 200)))


@pytest.mark.parametrize("version", ["v3", "v5"])
def test_a_result_under_200_is_the_tasks(version: str) -> None:
    answer = client(version, replied(RESULTS[version], 200)).precheck_results([TASK], 30.0)
    assert isinstance(answer.entries[TASK], Snapshot)


@pytest.mark.parametrize("version", ["v3", "v5"])
@pytest.mark.parametrize("status", [status for status in OTHERS if status != 202])
def test_a_start_under_another_status_is_none(version: str, status: int) -> None:
    with pytest.raises(ServiceError, match=f"HTTP {status}|redirects"):
        client(version, replied(STARTS[version], status)).start({TASK: "forStartJob"}, 30.0)


def test_a_start_under_202_is_one_of_v5_and_none_of_v3() -> None:
    modes = {TASK: "forStartJob"}
    assert client("v5", replied(STARTS["v5"], 202)).start(modes, 30.0) == {TASK: "q"}
    with pytest.raises(ServiceError, match="HTTP 202"):
        client("v3", replied(STARTS["v3"], 202)).start(modes, 30.0)
