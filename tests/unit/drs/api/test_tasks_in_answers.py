"""What answers say of tasks themselves: starts, statuses, details, and pages of the list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api import v3, v3_wire, v5
from precheck_gate.drs.http.replies import error_hint
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import About, Trouble, TroubleKind
from tests.support.harness import OTHER, TASK, task_id

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = {"id": TASK, "status": "success", "precheck_id": "p"}


def started(*entries: Any, **more: Any) -> dict[str, str | Trouble]:
    return v3_wire.parse_started(json.dumps({"results": entries, **more}).encode())


def refused(*entries: Any, task: str = TASK) -> Trouble:
    trouble = started(*entries)[task]
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.TASK_ERROR
    assert trouble.hint
    return trouble


# --- requests -------------------------------------------------------------------------------------


def test_requests_have_the_documented_form() -> None:
    assert v3.start_request({TASK: "forStartJob", OTHER: "forRetryJob"}) == {
        "jobs": [
            {"job_id": TASK, "precheck_mode": "forStartJob"},
            {"job_id": OTHER, "precheck_mode": "forRetryJob"},
        ]
    }
    assert v3.tasks_request([TASK, OTHER]) == {
        "jobs": [TASK, OTHER],
        "page_req": {"cur_page": 1, "per_page": 2},
    }
    assert v3.list_request({"status": "CREATING"}, 3, 100) == {
        "status": "CREATING",
        "cur_page": 3,
        "per_page": 100,
    }


# --- starts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("precheck", [None, "", 5])
def test_a_start_without_an_id_of_its_own_is_one(precheck: Any) -> None:
    assert started({**GOOD, "precheck_id": precheck}) == {TASK: ""}


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ({"status": "failed"}, "", "failed"),
        ({"status": 5}, "", "5"),
        ({"status": "failed", "error_msg": "not now"}, "", "not now"),
        ({"status": "failed", "error_msg": " "}, "", "failed"),
        ({"status": "failed", "error_code": "X.1"}, "X.1", "failed"),
        ({"status": "success", "error_code": "X.1"}, "X.1", "an error"),
        ({"status": "success", "error_msg": "\n"}, "", "an error"),
        ({"error_code": "X.1", "error_msg": "not now"}, "X.1", "not now"),
        ({"error_code": "X.1"}, "X.1", "an error"),
        ({"error_code": "X.1", "status": None}, "X.1", "an error"),
        ({"error_code": "X.1", "status": ""}, "X.1", "an error"),
        ({}, "", "no status"),
    ],
)
def test_a_refused_start_says_why(entry: dict[str, Any], code: str, said: str) -> None:
    trouble = refused({"id": TASK, **entry})
    assert trouble.code == code
    assert said in trouble.message
    assert "could not be started" in trouble.message
    assert "success" not in trouble.message


@pytest.mark.parametrize("status", [None, "", "success"])
def test_in_v5_a_start_needs_no_status(status: str | None) -> None:
    job = {"id": TASK, "query_id": "q", "status": status}
    assert v5.parse_started(json.dumps({"jobs": [job]}).encode()) == {TASK: "q"}


def test_what_to_do_about_a_refused_start_goes_by_its_code() -> None:
    busy = "DRS.M01503"
    trouble = refused({"id": TASK, "status": "failed", "error_code": busy})
    assert trouble.hint == error_hint(busy)
    assert "CONFIGURATION" in refused({"id": TASK, "error_code": "DRS.M00289"}).hint
    assert "CONFIGURATION" in refused({"id": TASK, "status": "failed"}).hint


def test_a_long_status_is_bounded() -> None:
    assert len(refused({"id": TASK, "status": "x" * 10_000}).message) < 200


def test_entries_that_name_no_task_start_nothing() -> None:
    assert started({**GOOD, "id": ""}, {"status": "success"}, {**GOOD, "id": 5}, GOOD) == {
        TASK: "p"
    }


@pytest.mark.parametrize("order", [1, -1])
def test_two_answers_to_one_start_count_only_where_they_agree(order: int) -> None:
    other = {**GOOD, "precheck_id": "q"}
    failed = {**GOOD, "status": "failed", "error_msg": "not now"}
    assert started(GOOD, GOOD) == {TASK: "p"}
    assert "not alike" in refused(*[GOOD, other][::order]).message
    assert "not now" in refused(*[GOOD, failed][::order]).message
    first = {**failed, "error_msg": "first"}
    assert "first" in refused(first, failed, GOOD).message
    assert "first" in refused(first, GOOD, failed).message


@pytest.mark.parametrize("key", ["error_code", "error_msg", "error"])
def test_an_error_beside_the_starts_is_shown_and_bounded(key: str) -> None:
    with pytest.raises(NotAnAnswer, match=r"x{100}") as caught:
        started(GOOD, **{key: "x" * 10_000})
    assert len(caught.value.message) < 500


# --- lists ----------------------------------------------------------------------------------------

PARSERS: dict[str, Callable[[bytes], Any]] = {
    "start": v3_wire.parse_started,
    "status": v3_wire.parse_statuses,
    "detail": v3_wire.parse_details,
    "page": v3_wire.parse_page,
}


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("value", ["absent", None, {}, "x", 5, [1], [{"id": TASK}, None]])
def test_what_has_no_list_is_no_answer_and_its_words_are_shown(name: str, value: Any) -> None:
    key = "jobs" if name == "page" else "results"
    document = {"total_record": 1} | ({} if value == "absent" else {key: value})
    with pytest.raises(NotAnAnswer, match=f"no list of {key}") as caught:
        PARSERS[name](json.dumps(document).encode())
    assert "The service says" not in caught.value.message
    with pytest.raises(NotAnAnswer, match=r"X\.1 gone") as caught:
        PARSERS[name](json.dumps({**document, "error_code": "X.1", "error_msg": "gone"}).encode())


def test_the_words_of_what_is_no_answer_are_bounded() -> None:
    with pytest.raises(NotAnAnswer, match=r"x{100}") as caught:
        v3_wire.parse_statuses(json.dumps({"error_msg": "x" * 10_000}).encode())
    assert len(caught.value.message) < 500


def results(*entries: Any) -> bytes:
    return json.dumps({"results": entries}).encode()


def test_statuses_are_read_of_the_tasks_that_have_one() -> None:
    content = results(
        {"id": TASK, "status": "CONFIGURATION"},
        {"id": task_id(1), "status": ""},
        {"id": task_id(2), "status": 5},
        {"id": task_id(3), "status": "CREATING", "error_code": "X.1"},
        {"status": "CREATING"},
        {"id": OTHER, "status": "PAUSING"},
    )
    assert v3_wire.parse_statuses(content) == {TASK: "CONFIGURATION", OTHER: "PAUSING"}


def test_details_are_read_of_the_tasks_without_an_error() -> None:
    full = {
        "id": TASK,
        "name": "orders",
        "status": "CREATING",
        "db_use_type": "sync",
        "engine_type": "mysql",
    }
    content = results(full, {**full, "id": OTHER, "error_msg": "gone"}, {"id": task_id(1)})
    assert v3_wire.parse_details(content) == {
        TASK: About("orders", "CREATING", "mysql", "sync"),
        task_id(1): About(),
    }


@pytest.mark.parametrize(
    ("fields", "engine"),
    [
        ({"engine_type": "mysql", "inst_info": {"engine_type": "other"}}, "mysql"),
        ({"engine_type": "", "inst_info": {"engine_type": "other"}}, "other"),
        ({"inst_info": {"engine_type": "other"}}, "other"),
        ({"inst_info": ["other"]}, ""),
        ({"inst_info": None}, ""),
        ({}, ""),
    ],
)
def test_the_engine_stands_in_one_of_two_places(fields: dict[str, Any], engine: str) -> None:
    assert v3_wire.parse_details(results({"id": TASK, **fields}))[TASK].engine == engine


# --- pages ----------------------------------------------------------------------------------------

PAGES: list[tuple[Callable[[bytes], v3_wire.TaskPage], str]] = [
    (v3_wire.parse_page, "total_record"),
    (v5.parse_page, "total_count"),
]


@pytest.mark.parametrize(("parse", "total"), PAGES)
@pytest.mark.parametrize("count", [0, 1, 300])
def test_a_page_has_its_tasks_and_how_many_there_are_in_all(
    parse: Callable[[bytes], v3_wire.TaskPage], total: str, count: int
) -> None:
    jobs = [{"id": TASK, "name": "a"}, {"id": OTHER, "name": "b"}]
    page = parse(json.dumps({"jobs": jobs, total: count}).encode())
    assert page.tasks == {TASK: About("a"), OTHER: About("b")}
    assert page.total == count


@pytest.mark.parametrize(("parse", "total"), PAGES)
@pytest.mark.parametrize("count", [-1, True, False, 1.0, "1", None, [1]])
def test_a_page_that_does_not_say_how_many_there_are_is_none(
    parse: Callable[[bytes], v3_wire.TaskPage], total: str, count: Any
) -> None:
    with pytest.raises(NotAnAnswer, match=total):
        parse(json.dumps({"jobs": [{"id": TASK}], total: count}).encode())


@pytest.mark.parametrize(("parse", "total"), PAGES)
@pytest.mark.parametrize("job", [{}, {"id": ""}, {"id": 5}, {"id": TASK}])
def test_a_page_with_a_task_without_an_id_or_twice_is_none(
    parse: Callable[[bytes], v3_wire.TaskPage], total: str, job: Any
) -> None:
    with pytest.raises(NotAnAnswer, match="without an ID, or one twice"):
        parse(json.dumps({"jobs": [{"id": TASK}, job], total: 2}).encode())


@pytest.mark.parametrize(("parse", "total"), PAGES)
def test_a_page_with_an_error_names_the_tasks_and_what_is_said(
    parse: Callable[[bytes], v3_wire.TaskPage], total: str
) -> None:
    good = {"id": task_id(1)}
    bad = {"id": TASK, "error_msg": "gone"}
    nameless = {"error_msg": "lost"}
    with pytest.raises(NotAnAnswer, match=f"{TASK}.*gone") as caught:
        parse(json.dumps({"jobs": [good, bad], total: 2}).encode())
    assert task_id(1) not in caught.value.message
    with pytest.raises(NotAnAnswer, match=r"no ID.*lost"):
        parse(json.dumps({"jobs": [nameless, bad], total: 2}).encode())
    long = {"id": TASK, "error_msg": "x" * 10_000}
    for document in ({"jobs": [long]}, {"jobs": [good], "error_msg": "x" * 10_000}):
        with pytest.raises(NotAnAnswer, match=r"x{100}") as caught:
            parse(json.dumps({**document, total: 1}).encode())
        assert len(caught.value.message) < 500
