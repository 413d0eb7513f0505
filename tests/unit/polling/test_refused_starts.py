"""What the service says against a start counts, whatever it says for it beside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api import v3_wire, v5
from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.http.messages import Reply
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import Trouble, TroubleKind
from tests.support.fakes import FakeClock
from tests.support.harness import OTHER, TASK, entry
from tests.support.outcome import ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.gate import Gate, Serve

    Parse = Callable[[bytes], dict[str, str | Trouble]]

ERRORS: list[dict[str, Any]] = [
    {"error_code": "DRS.M00304"},
    {"error_code": 304},
    {"error_msg": "not now"},
    {"error_msg": ["not now"]},
    {"errorCode": "DRS.M00304"},
    {"errorMsg": "not now"},
    {"error": {"code": "DRS.M00304", "message": "not now"}},
    {"error": "not now"},
    {"code": "DRS.M00304"},
    {"message": "not now"},
    {"errors": [{"code": "DRS.M00304", "message": "not now"}]},
]
STATUSES: list[Any] = ["failed", "SUCCESS", "success ", False, 0, {"a": 1}, ["success"]]
V3, V5 = "results", "jobs"
PARSERS: dict[str, Parse] = {V3: v3_wire.parse_started, V5: v5.parse_started}
GOOD: dict[str, dict[str, Any]] = {
    V3: {"id": TASK, "precheck_id": "p", "status": "success"},
    V5: {"id": TASK, "query_id": "p", "name": "orders"},
}


def started(version: str, *entries: Any, **more: Any) -> dict[str, str | Trouble]:
    return PARSERS[version](json.dumps({version: entries, **more}).encode())


def refused(outcome: dict[str, str | Trouble], task: str = TASK) -> Trouble:
    trouble = outcome[task]
    assert isinstance(trouble, Trouble)
    return trouble


@pytest.mark.parametrize("version", [V3, V5])
def test_a_start_without_a_word_against_it(version: str) -> None:
    nothing = dict.fromkeys(("error_code", "error_msg", "errorCode", "error", "errors"))
    assert started(version, GOOD[version]) == {TASK: "p"}
    assert started(version, {**GOOD[version], **nothing, "message": ""}) == {TASK: "p"}
    assert started(version, {**GOOD[version], "status": "success"}) == {TASK: "p"}


@pytest.mark.parametrize("version", [V3, V5])
@pytest.mark.parametrize("error", ERRORS)
def test_an_error_on_the_entry_speaks_against_the_start(
    version: str, error: dict[str, Any]
) -> None:
    outcome = started(version, {**GOOD[version], **error}, {**GOOD[version], "id": OTHER})
    trouble = refused(outcome)
    assert trouble.kind is TroubleKind.TASK_ERROR
    assert "304" in trouble.code or "not now" in trouble.message
    assert outcome[OTHER] == "p"


@pytest.mark.parametrize("version", [V3, V5])
@pytest.mark.parametrize("error", ERRORS)
def test_an_error_at_the_top_speaks_against_every_start(
    version: str, error: dict[str, Any]
) -> None:
    with pytest.raises(NotAnAnswer, match=r"carries an error.*(304|not now)"):
        started(version, GOOD[version], **error)


@pytest.mark.parametrize("version", [V3, V5])
@pytest.mark.parametrize("status", STATUSES)
def test_any_status_but_success_speaks_against_the_start(version: str, status: Any) -> None:
    trouble = refused(started(version, {**GOOD[version], "status": status}))
    assert trouble.kind is TroubleKind.TASK_ERROR
    assert "could not be started" in trouble.message


def test_a_status_has_to_be_there_in_v3() -> None:
    for status in ({}, {"status": None}, {"status": ""}):
        good = {"id": TASK, "precheck_id": "p"}
        assert isinstance(started(V3, {**good, **status})[TASK], Trouble)


@pytest.mark.parametrize("version", [V3, V5])
def test_the_same_task_twice_is_a_start_only_where_both_say_the_same(version: str) -> None:
    good = GOOD[version]
    other = {**good, "precheck_id": "q", "query_id": "q"}
    failed = {**good, "status": "failed", "error_msg": "not now"}
    assert started(version, good, good) == {TASK: "p"}
    assert "more than once" in refused(started(version, good, other)).message
    for both in ((good, failed), (failed, good), (failed, good, good)):
        assert "not now" in refused(started(version, *both)).message


@pytest.mark.parametrize("version", [V3, V5])
@pytest.mark.parametrize("name", [{}, {"id": None}, {"id": 7}, {"job_id": TASK}])
@pytest.mark.parametrize("against", [*ERRORS, {"status": "failed"}])
def test_a_refusal_that_names_no_task_may_be_of_any(
    version: str, name: dict[str, Any], against: dict[str, Any]
) -> None:
    good = GOOD[version]
    outcome = started(version, good, {**good, "id": OTHER}, {**name, **against})
    assert "could not be started" in refused(outcome).message
    assert outcome[OTHER] == outcome[TASK]


@pytest.mark.parametrize("version", [V3, V5])
def test_an_entry_that_names_no_task_and_refuses_nothing_is_nobodys(version: str) -> None:
    assert started(version, GOOD[version], {"status": "success"}) == {TASK: "p"}


@pytest.mark.parametrize("error", ERRORS)
def test_a_status_or_name_beside_an_error_is_none(error: dict[str, Any]) -> None:
    entry = {"id": TASK, "status": "CONFIGURATION", "name": "orders", **error}
    content = json.dumps({"results": [entry]}).encode()
    assert v3_wire.parse_statuses(content) == {}
    assert v3_wire.parse_details(content) == {}


@pytest.mark.parametrize("version", [V3, V5])
@pytest.mark.parametrize("against", [{"errorCode": "DRS.M00304"}, {"status": "failed"}])
@pytest.mark.parametrize("place", ["entry", "top"])
def test_a_start_that_was_refused_ends_in_4_however_green_the_result_is(
    gate: Gate, serve: Serve, version: str, against: dict[str, Any], place: str
) -> None:
    if place == "top" and "status" in against:
        against = {"error_msg": "not now"}
    entry = {**GOOD[version], "id": ID, **(against if place == "entry" else {})}
    answer = {version: [entry], **(against if place == "top" else {})}
    fault = f"{{when: {{call: start}}, kind: wrong_shape, body: {json.dumps(answer)}}}"
    # What is shown after the start looks like a new result: it runs, and ends green.
    task = f"{{id: {ID}, items: [{{item: a}}], duration: 20s, started: false, precheck_id: p}}"
    service = serve(f"\nversion: 1\ntasks: [{task}]\nfaults: [{fault}]\n")
    api = {V3: "v3", V5: "v5"}[version]
    outcome = gate.run(service.url, "--start-precheck", "--api", api)
    assert outcome.code == 4
    assert "passed" not in outcome.verdicts().values()


# --- a start that names a pre-check that was there before -----------------------------------------


def own_of(*replies: dict[str, Any]) -> list[frozenset[str]]:
    """Return what each answer proves by ID, of the answers to queries and starts in turn."""
    contents = iter(replies)
    client = DrsClient(
        "http://127.0.0.1:1",
        lambda _: "p",
        lambda *_: Reply(200, {}, json.dumps(next(contents)).encode()),
        FakeClock(),
    )
    own = []
    for reply in replies:
        if "status" in reply["results"][0]:
            client.start({TASK: "forStartJob"}, 30.0)
        else:
            own.append(client.precheck_results([TASK], 30.0).own)
    return own


def begun(precheck: str) -> dict[str, Any]:
    return {"results": [{"id": TASK, "precheck_id": precheck, "status": "success"}]}


def test_a_result_proves_itself_by_an_id_that_is_new() -> None:
    result = {"results": [entry("p")]}
    assert own_of({"results": [entry()]}, begun("p"), result) == [frozenset(), {TASK}]


def test_a_result_proves_nothing_by_an_id_that_results_bore_before_the_start() -> None:
    result = {"results": [entry("p")]}
    assert own_of(result, begun("p"), result) == [frozenset(), frozenset()]


def test_a_result_proves_nothing_by_the_id_of_any_start_before() -> None:
    first, second = {"results": [entry("p")]}, {"results": [entry("q")]}
    asked = own_of(begun("p"), first, begun("q"), second, begun("p"), first)
    assert asked == [{TASK}, {TASK}, frozenset()]


def test_a_refused_start_takes_the_proof_of_the_one_before_along() -> None:
    refusal = {"results": [{"id": TASK, "precheck_id": "p", "status": "failed"}]}
    result = {"results": [entry("p")]}
    assert own_of(begun("p"), result, refusal, result) == [{TASK}, frozenset()]
