"""How many results an answer counts, tasks that stand in it more than once, and its refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.api.v3_wire import (
    contents_of,
    parse_answer,
)
from precheck_gate.drs.http.messages import HttpRequest, Reply
from precheck_gate.errors import NotAnAnswer, UnnamedResult
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    body,
    entry,
    item,
    task_id,
    without,
)

ABSENT = object()


def counted(count: Any, sent: int = 2) -> bytes:
    results = [entry(task_id(number)) for number in range(sent)]
    document = {"results": results} | ({} if count is ABSENT else {"count": count})
    return json.dumps(document).encode()


# --- how many -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "odd", "short"),
    [
        (ABSENT, False, False),
        (2, False, False),
        (2.0, False, False),
        (3, True, True),
        (2.5, True, True),
        ("3", True, True),
        ("30", True, True),
        (1, True, False),
        (0, True, False),
        (-3, True, False),
        ("2", True, False),
        ("1", True, False),
        ("-3", True, False),
        ("3 ", True, True),
        ("３", True, True),
        ("x", True, False),
        ("", True, False),
        (None, True, False),
        ([3], True, False),
        (False, True, False),
    ],
)
def test_a_count_is_odd_where_it_differs_and_a_shortfall_where_it_is_more(
    count: Any, odd: bool, short: bool
) -> None:
    answer = parse_answer(counted(count))
    assert len(answer.remarks) == odd
    assert bool(answer.shortfall) == short
    assert contents_of(counted(count)).shortfall == answer.shortfall
    for said in (*answer.remarks, *filter(None, [answer.shortfall])):
        assert "sent 2" in said


@pytest.mark.parametrize(("count", "sent"), [(True, 1), (True, 0), (False, 0)])
def test_true_and_false_are_no_count(count: bool, sent: int) -> None:
    answer = parse_answer(counted(count, sent))
    assert len(answer.remarks) == 1
    assert answer.shortfall == ""


# --- which tasks ----------------------------------------------------------------------------------


def test_the_tasks_of_an_answer_are_named_once_each_in_their_order() -> None:
    content = body(entry(OTHER), entry(TASK), entry(OTHER), {"id": task_id(1), "error_code": "X.1"})
    assert contents_of(content).tasks == [OTHER, TASK, task_id(1)]


def test_the_request_names_the_tasks() -> None:
    asked = []

    def send(request: HttpRequest, seconds: float) -> Reply:
        asked.append((request.method, request.url, json.loads(request.body)))
        return Reply(200, {}, body(entry()))

    client = DrsClient("http://127.0.0.1:1", lambda _: "p/1", send, FakeClock())
    client.precheck_results((TASK, OTHER), 1.0)
    url = "http://127.0.0.1:1/v3/p%2F1/jobs/batch-precheck-result"
    assert asked == [("POST", url, {"jobs": [TASK, OTHER]})]


@pytest.mark.parametrize("times", [2, 3])
def test_the_same_result_again_is_remarked_on_and_counts(times: int) -> None:
    answer = parse_answer(body(*[entry()] * times, entry(OTHER)))
    assert isinstance(answer.entries[TASK], Snapshot)
    [remark] = answer.remarks
    assert TASK in remark
    assert f"{times} times" in remark


@pytest.mark.parametrize(
    "others",
    [[entry(result=False)], [entry(), entry(result=False)], [{"id": TASK, "error_code": "X.1"}]],
)
def test_results_of_one_task_that_differ_are_a_contradiction(others: list[dict[str, Any]]) -> None:
    for entries in ([entry(), *others], [*others, entry()]):
        answer = parse_answer(body(*entries, entry(OTHER)))
        trouble = answer.entries[TASK]
        assert isinstance(trouble, Trouble)
        assert trouble.kind is TroubleKind.CONTRADICTORY
        assert "not alike" in trouble.message
        assert trouble.hint
        assert isinstance(answer.entries[OTHER], Snapshot)
        assert answer.remarks == ()


def test_a_contradiction_shows_three_of_the_results_and_is_bounded() -> None:
    entries = [entry(process=f"{number}%", items=[item()] * number) for number in range(10, 60)]
    trouble = parse_answer(body(*entries, entry(process="9" * 10_000))).entries[TASK]
    assert isinstance(trouble, Trouble)
    assert all(f"{number} items" in trouble.message for number in (10, 11, 12))
    assert "13 items" not in trouble.message
    first = parse_answer(body(entry(process="9" * 10_000), entry())).entries[TASK]
    assert isinstance(first, Trouble)
    assert len(first.message) < 500


def test_only_the_started_prechecks_of_this_answer_are_its_own() -> None:
    started = {"own-1": TASK, "own-2": OTHER}
    answer = parse_answer(body(entry("own-1"), entry(OTHER)), started)
    assert answer.own == {TASK}
    assert set(answer.entries) == {TASK, OTHER}
    # An ID that somebody has under `id` proves nothing of whose result it is.
    assert parse_answer(body({"id": "own-1", "error_code": "X.1"}), started).own == frozenset()
    assert parse_answer(body(entry("own-1"))).own == frozenset()


# --- what is no answer ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"<html>", b"[]", b"7", b"{}", b'{"results": {}}', b'{"results": [1]}']
)
def test_what_is_no_answer_asks_whether_that_is_drs(content: bytes) -> None:
    for read in (parse_answer, contents_of):
        with pytest.raises(NotAnAnswer) as caught:
            read(content)
        assert "proxy" in caught.value.hint
        assert "The service says" not in caught.value.message


@pytest.mark.parametrize("results", [[entry(), 1], [None, entry()], "x", None])
def test_no_part_of_a_list_with_something_else_in_it_is_read(results: Any) -> None:
    with pytest.raises(NotAnAnswer, match=r"The service says: X\.1 gone"):
        parse_answer(
            json.dumps({"results": results, "error_code": "X.1", "error_msg": "gone"}).encode()
        )


def test_what_an_answer_says_beside_its_error_is_bounded() -> None:
    with pytest.raises(NotAnAnswer) as caught:
        parse_answer(body(entry(), error_msg="x" * 10_000))
    assert 300 <= len(caught.value.message) < 400


@pytest.mark.parametrize(("count", "verb"), [(1, "names"), (2, "name"), (3, "name")])
def test_results_without_a_name_are_counted(count: int, verb: str) -> None:
    nameless = without(entry(), "precheck_id")
    with pytest.raises(UnnamedResult) as caught:
        parse_answer(body(entry(), *[nameless] * count))
    assert f"{count} of the {count + 1} results {verb} no task" in caught.value.message
    assert caught.value.code == ""
    assert caught.value.hint


def test_the_first_result_without_a_name_says_why() -> None:
    with pytest.raises(UnnamedResult, match=r"X\.1 gone") as caught:
        parse_answer(body({"error_code": "X.1", "error_msg": "gone"}, {"error_code": "X.2"}))
    assert caught.value.code == "X.1"
