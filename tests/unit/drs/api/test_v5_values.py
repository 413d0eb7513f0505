"""What v5's answers say of tasks: kinds of trouble, names, pages; what is odd is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate.drs.api import v5
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import About, Snapshot, Trouble, TroubleKind
from tests.support.harness import OTHER, TASK, item

DONE = {"result": True, "process": "100%", "precheck_results": [item()]}


def parsed(**job: Any) -> Snapshot | Trouble:
    return v5.parse_result(TASK, json.dumps({"job": {"id": TASK, **job}}).encode())


@pytest.mark.parametrize("result", [None, [], "x", True, 1])
def test_an_answer_without_a_result_is_not_one_for_the_task(result: Any) -> None:
    trouble = parsed(precheck_result=result)
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.NOT_ANSWERED
    assert "no result of a pre-check" in trouble.message
    assert "query ID" in trouble.hint


@pytest.mark.parametrize("value", [[item(result="FAILED")], [], None])
def test_items_where_v3_has_them_are_a_malformed_answer(value: Any) -> None:
    trouble = parsed(precheck_result={**DONE, "precheck_result": value})
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.MALFORMED
    assert "a key that v5 does not have" in trouble.message


def test_what_v5_says_is_read_in_full() -> None:
    snapshot = parsed(
        precheck_result={
            **DONE,
            "job_direction": "up",
            "total_passed_rate": "100%",
            "rds_instance_id": "i-1",
        }
    )
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.task_id, snapshot.ready, snapshot.complete) == (TASK, True, True)
    assert (snapshot.direction, snapshot.passed_rate, snapshot.instance_id) == ("up", "100%", "i-1")
    assert [one.name for one in snapshot.items] == ["srcDbConnection"]


@pytest.mark.parametrize(
    ("said", "shown"), [(OTHER, OTHER), (None, r"\(none\)"), (5, r"\(none\)"), ("x" * 99, "x…|x")]
)
def test_an_answer_about_another_task_names_both(said: Any, shown: str) -> None:
    with pytest.raises(NotAnAnswer, match=f"for task {TASK} is about another one: {shown}"):
        v5.parse_result(TASK, json.dumps({"job": {"id": said}}).encode())


@pytest.mark.parametrize("job", [None, "x", [], [1], True, 5])
def test_an_answer_without_a_job_is_none(job: Any) -> None:
    content = json.dumps({"job": job}).encode()
    for parse in (v5.parse_result, v5.parse_detail):
        with pytest.raises(NotAnAnswer, match="no job in the documented shape"):
            parse(TASK, content)


def test_a_start_asks_for_a_precheck_of_each_task_in_its_mode() -> None:
    assert v5.start_request({TASK: "forStartJob", OTHER: "forRetryJob"}) == {
        "jobs": [
            {
                "job_id": task,
                "action_name": "precheck",
                "action_params": {"precheck_mode": mode},
            }
            for task, mode in ((TASK, "forStartJob"), (OTHER, "forRetryJob"))
        ]
    }


@pytest.mark.parametrize("jobs", [None, {}, "x", [1], [{"id": TASK, "query_id": "q"}, None]])
def test_a_start_without_a_list_of_jobs_is_no_answer(jobs: Any) -> None:
    for document in ({"jobs": jobs}, {"jobs": jobs, "error_msg": "not now"}):
        with pytest.raises(NotAnAnswer, match="no list of jobs"):
            v5.parse_started(json.dumps(document).encode())


@pytest.mark.parametrize("query", [None, "", 5, True, ["q"]])
def test_a_start_without_a_query_id_is_an_error_of_the_task(query: Any) -> None:
    content = json.dumps({"jobs": [{"id": TASK, "query_id": query}, {"query_id": "q"}]}).encode()
    outcome = v5.parse_started(content)
    assert list(outcome) == [TASK]
    trouble = outcome[TASK]
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.TASK_ERROR
    assert "gives no query ID" in trouble.message
    assert trouble.hint


def test_a_detail_is_read_from_both_of_its_places() -> None:
    base = {"name": "orders", "engine_type": "mysql", "job_type": "migration"}
    job = {"id": TASK, "status": "CONFIGURATION", "base_info": base}
    content = json.dumps({"job": job}).encode()
    about = About("orders", "CONFIGURATION", "mysql", "migration")
    assert v5.parse_detail(TASK, content) == about
    others: list[Any] = [None, [], "x"]
    for none in others:
        bare = json.dumps({"job": {**job, "base_info": none}}).encode()
        assert v5.parse_detail(TASK, bare) == About(status="CONFIGURATION")
    with pytest.raises(NotAnAnswer, match="another one"):
        v5.parse_detail(OTHER, content)


def page(jobs: Any, **more: Any) -> Any:
    return v5.parse_page(json.dumps({"jobs": jobs, **more}).encode())


def test_a_page_names_its_tasks_and_how_many_there_are() -> None:
    jobs = [
        {
            "id": TASK,
            "name": "orders",
            "status": "CONFIGURATION",
            "engine_type": "mysql",
            "job_type": "sync",
        },
        {"id": OTHER, "name": "bills", "status": "CREATING"},
    ]
    found = page(jobs, total_count=7)
    assert found.total == 7
    assert found.tasks == {
        TASK: About("orders", "CONFIGURATION", "mysql", "sync"),
        OTHER: About("bills", "CREATING"),
    }
    assert page([], total_count=0).tasks == {}


@pytest.mark.parametrize(
    ("jobs", "more"),
    [
        (None, {"total_count": 0}),
        ({}, {"total_count": 0}),
        ([1], {"total_count": 1}),
        ([{"id": TASK, "name": "a", "status": "b"}, None], {"total_count": 2}),
        ([{"id": "", "name": "a", "status": "b"}], {"total_count": 1}),
        ([{"id": TASK, "name": "a", "status": "b"}] * 2, {"total_count": 2}),
        ([], {}),
        ([], {"total_record": 0}),
        ([], {"total_count": -1}),
        ([], {"total_count": True}),
        ([], {"total_count": "0"}),
        ([], {"total_count": 1.5}),
    ],
)
def test_a_page_that_is_not_sure_to_be_whole_is_none(jobs: Any, more: dict[str, Any]) -> None:
    with pytest.raises(NotAnAnswer):
        page(jobs, **more)
