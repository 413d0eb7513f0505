"""A selection is never smaller because the service left out what it has to be decided by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.options.tasks import Filter, find_tasks
from precheck_gate.drs.api import v3_wire, v5
from precheck_gate.errors import NotAnAnswer, ServiceError
from tests.support.harness import task_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precheck_gate.drs.api.v3_wire import TaskPage
    from tests.support.gate import Gate, Serve

NAME = Filter("name", "orders-*")
STATUS = Filter("status", "CONFIGURATION")

KNOWN = {"name": "orders-1", "status": "CONFIGURATION"}


def select(filters: Sequence[Filter], *jobs: dict[str, Any], version: str = "v3") -> list[str]:
    """Select among tasks that the service lists like that, numbered from 1."""
    entries = [{"id": task_id(number), **job} for number, job in enumerate(jobs, start=1)]

    def ask(wanted: Mapping[str, Any], page: int, size: int) -> TaskPage:
        total = "total_record" if version == "v3" else "total_count"
        document = {"jobs": entries, total: len(entries)}
        parse = v3_wire.parse_page if version == "v3" else v5.parse_page
        return parse(json.dumps(document).encode())

    return list(find_tasks(filters, ask))


@pytest.mark.parametrize("version", ["v3", "v5"])
@pytest.mark.parametrize("value", [None, 7, ["orders-2"], {}, "", " ", "absent"])
@pytest.mark.parametrize("key", ["name", "status"])
def test_a_field_that_decides_and_is_no_text_ends_the_selection(
    version: str, value: Any, key: str
) -> None:
    second: dict[str, Any] = {**KNOWN, key: value}
    if value == "absent":
        del second[key]
    with pytest.raises(ServiceError) as caught:
        select([NAME, STATUS], KNOWN, second, version=version)
    assert f"has no {key} for {task_id(2)}" in caught.value.message
    assert task_id(1) not in caught.value.message


@pytest.mark.parametrize("key", ["name", "status"])
def test_a_field_that_no_condition_needs_may_be_missing(key: str) -> None:
    condition = STATUS if key == "name" else NAME
    assert select([condition], KNOWN, {**KNOWN, key: None}) == [task_id(1), task_id(2)]


def test_a_task_that_another_condition_excludes_needs_no_name() -> None:
    assert select([NAME, STATUS], KNOWN, {"status": "PAUSING"}) == [task_id(1)]


@pytest.mark.parametrize("version", ["v3", "v5"])
@pytest.mark.parametrize(
    "error",
    [
        {"error_code": "DRS.M00289"},
        {"errorCode": 7},
        {"error_msg": "gone"},
        {"error": {"code": "DRS.M00289"}},
    ],
)
def test_a_listed_task_with_an_error_ends_the_selection(
    version: str, error: dict[str, Any]
) -> None:
    with pytest.raises(NotAnAnswer) as caught:
        select([NAME], KNOWN, {**KNOWN, "name": "billing", **error}, version=version)
    assert task_id(2) in caught.value.message


@pytest.mark.parametrize("parse", [v3_wire.parse_page, v5.parse_page])
@pytest.mark.parametrize("key", ["error_code", "error_msg", "error"])
def test_a_list_with_an_error_is_no_list(parse: Any, key: str) -> None:
    jobs = [{"id": task_id(1), **KNOWN}]
    document = {"jobs": jobs, "total_record": 1, "total_count": 1, key: "it went wrong"}
    with pytest.raises(NotAnAnswer, match="it went wrong"):
        parse(json.dumps(document).encode())


def test_what_cannot_be_decided_is_named_up_to_a_bound() -> None:
    with pytest.raises(ServiceError) as caught:
        select([NAME], *({"status": "CONFIGURATION"} for _ in range(50)))
    assert "has no name for 50 tasks" in caught.value.message
    assert task_id(1) in caught.value.message
    assert "and 45 more" in caught.value.message
    assert len(caught.value.message) < 1000


FLEET = f"""
version: 1
tasks:
  - {{id: {task_id(1)}, name: orders, items: [{{item: a}}]}}
  - {{id: {task_id(2)}, items: [{{item: a, result: FAILED}}]}}
"""


def test_a_run_ends_without_an_answer_and_names_the_task(gate: Gate, serve: Serve) -> None:
    service = serve(FLEET)
    outcome = gate.run(service.url, "--select=name=orders*", tasks=[])
    assert outcome.code == 4
    outcome.reports(f"has no name for {task_id(2)}")
    assert not [one for one in service.requests if one.path.endswith("-result")]
