"""Conditions on tasks, and a list that must be whole before anything is taken from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.options.tasks import Filter, find_tasks, parse_filter
from precheck_gate.drs.api.v3_wire import TaskPage, parse_page
from precheck_gate.errors import NotAnAnswer, ServiceError, UsageError
from precheck_gate.model.snapshots import About
from tests.support.harness import task_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = Filter("name", "orders-*")


def pages(*served: TaskPage) -> Any:
    asked: list[tuple[Mapping[str, Any], int]] = []

    def ask(wanted: Mapping[str, Any], page: int, size: int) -> TaskPage:
        asked.append((wanted, page))
        return served[page - 1] if page <= len(served) else TaskPage({}, served[-1].total)

    return ask


def page(total: int, numbers: Sequence[int], name: str = "orders-1") -> TaskPage:
    return TaskPage({task_id(number): About(name) for number in numbers}, total)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("name=orders-*", Filter("name", "orders-*")),
        ("tag:wave=3", Filter("tag", "3", "wave")),
        ("tag:a:b=c=d", Filter("tag", "c=d", "a:b")),
        ("status=CONFIGURATION", Filter("status", "CONFIGURATION")),
        ("type=sync", Filter("type", "sync")),
    ],
)
def test_a_condition(text: str, parsed: Filter) -> None:
    assert parse_filter(text) == parsed
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text", ["", "name", "name=", "=x", "tag=x", "tag:=x", "nam=x", "name:x=y", "type=other"]
)
def test_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_filter(text)


def test_all_pages_are_read() -> None:
    found = find_tasks([NAME], pages(page(5, [1, 2]), page(5, [3, 4]), page(5, [5])))
    assert list(found) == [task_id(number) for number in range(1, 6)]


@pytest.mark.parametrize(
    "served",
    [
        # It ends too early, changes on the way, holds more than it says, or is no list of IDs.
        (page(5, [1, 2]), page(5, [3])),
        (page(3, [1, 2]), page(2, [])),
        (page(4, [1, 2]), page(4, [1, 2])),
        (page(1, [1, 2]),),
        (TaskPage({"no-id": About("orders-1")}, 1),),
    ],
)
def test_a_list_that_cannot_be_trusted_selects_nothing(served: tuple[TaskPage, ...]) -> None:
    with pytest.raises(ServiceError):
        find_tasks([NAME], pages(*served))


def test_nothing_that_matches_is_an_error_of_usage() -> None:
    with pytest.raises(UsageError, match="No task matches name=orders"):
        find_tasks([NAME], pages(page(2, [1, 2], "billing")))
    with pytest.raises(UsageError):
        find_tasks([NAME], pages(page(0, [])))


def test_conditions_that_exclude_each_other_are_refused() -> None:
    both = [Filter("status", "CONFIGURATION"), Filter("status", "PAUSING")]
    with pytest.raises(UsageError, match="No task can match"):
        find_tasks(both, pages(page(1, [1])))


@pytest.mark.parametrize(
    "document",
    [
        {"jobs": []},
        {"jobs": [], "total_record": "0"},
        {"jobs": [], "total_record": True},
        {"jobs": {}, "total_record": 0},
        {"jobs": [{"name": "nameless"}], "total_record": 1},
        {"jobs": [{"id": "a"}, {"id": "a"}], "total_record": 2},
    ],
)
def test_a_page_that_is_none_is_refused(document: Any) -> None:
    with pytest.raises(NotAnAnswer):
        parse_page(json.dumps(document).encode())
