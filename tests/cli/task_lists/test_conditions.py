"""What each condition means: what the service is asked for, and what is sorted out here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.options.tasks import Filter, check_count, find_tasks, parse_filter
from precheck_gate.drs.api.v3_wire import TaskPage
from precheck_gate.errors import ServiceError, UsageError
from precheck_gate.model.snapshots import About
from tests.support.harness import task_id

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST, SECOND = task_id(1), task_id(2)
ABOUT = About("orders-1", "CONFIGURATION", "mysql", "sync")


@dataclass
class Listing:
    """Gives pages of the tasks, and notes what it was asked for."""

    tasks: dict[str, About]
    asked: list[tuple[dict[str, Any], int, int]] = field(default_factory=list)

    def __call__(self, wanted: Mapping[str, Any], page: int, size: int) -> TaskPage:
        self.asked.append((dict(wanted), page, size))
        names = list(self.tasks)[(page - 1) * size : page * size]
        return TaskPage({name: self.tasks[name] for name in names}, len(self.tasks))


def found(about: About, *filters: str) -> list[str]:
    """Return what is selected of a task that fits and another one."""
    listing = Listing({FIRST: ABOUT, SECOND: about})
    return list(find_tasks([parse_filter(one) for one in filters], listing))


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "name=*",
        "engine=mysql",
        "status=X",
        "tag:a=b",
        "type=migration",
        "type=sync",
        "type=cloudDataGuard",
    ],
)
def test_every_kind_of_condition_is_read_and_shown_as_written(text: str) -> None:
    assert str(parse_filter(text)) == text


def test_an_unknown_key_names_all_that_are_known() -> None:
    with pytest.raises(ValueError, match="known: name, tag:KEY, status, type, engine"):
        parse_filter("colour=red")
    with pytest.raises(ValueError, match="known: migration, sync, cloudDataGuard"):
        parse_filter("type=other")


@pytest.mark.parametrize("text", ["status:x=y", "type:x=sync", "engine:=mysql", "name:=x"])
def test_only_a_tag_has_a_second_name(text: str) -> None:
    with pytest.raises(ValueError, match="known: name"):
        parse_filter(text)


@pytest.mark.parametrize("text", ["tag=x", "tag:=x"])
def test_a_tag_without_its_key_is_refused_as_such(text: str) -> None:
    with pytest.raises(ValueError, match="names no tag"):
        parse_filter(text)


# --- what the service is asked for ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (["name=orders-*"], {}),
        (["status=CONFIGURATION"], {"status": "CONFIGURATION"}),
        (["type=sync"], {"db_use_type": "sync"}),
        (["engine=mysql"], {"engine_type": "mysql"}),
        (["tag:wave=3"], {"tags": {"wave": "3"}}),
        (["tag:wave=3", "tag:team=a"], {"tags": {"wave": "3", "team": "a"}}),
        (
            ["name=o*", "status=CONFIGURATION", "tag:wave=3"],
            {"status": "CONFIGURATION", "tags": {"wave": "3"}},
        ),
    ],
)
def test_the_service_is_asked_for_all_that_it_can_sort_out(
    filters: list[str], wanted: dict[str, Any]
) -> None:
    listing = Listing({FIRST: ABOUT})
    assert find_tasks([parse_filter(one) for one in filters], listing) == {FIRST: ABOUT}
    assert listing.asked == [(wanted, 1, 100)]


def test_each_page_is_asked_for_once() -> None:
    tasks = {task_id(number): ABOUT for number in range(230)}
    listing = Listing(tasks)
    assert find_tasks([Filter("name", "*")], listing) == tasks
    assert [(page, size) for _, page, size in listing.asked] == [(1, 100), (2, 100), (3, 100)]


# --- what is sorted out here ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "about", "fits"),
    [
        ("name=orders-*", About("orders-2"), True),
        ("name=orders-*", About("Orders-2"), False),
        ("name=orders-?", About("orders-22"), False),
        ("status=CONFIGURATION", About(status="CONFIGURATION"), True),
        ("status=CONFIGURATION", About(status="PAUSING"), False),
        ("type=sync", About(kind="sync"), True),
        ("type=sync", About(kind="migration"), False),
        ("type=sync", About(), True),
        ("engine=mysql", About(engine="mysql"), True),
        ("engine=mysql", About(engine="postgresql"), False),
        ("engine=mysql", About(), True),
        ("tag:wave=3", About(), True),
    ],
)
def test_what_does_not_fit_is_left_out_whatever_the_service_lists(
    condition: str, about: About, fits: bool
) -> None:
    assert found(about, condition) == ([FIRST, SECOND] if fits else [FIRST])


@pytest.mark.parametrize("order", [1, -1])
def test_all_conditions_have_to_fit(order: int) -> None:
    both = ["name=*-1", "status=CONFIGURATION"]
    assert found(About("orders-1", "PAUSING"), *both[::order]) == [FIRST]
    assert found(About("orders-2", "CONFIGURATION"), *both[::order]) == [FIRST]
    assert found(About("bills-1", "CONFIGURATION"), *both[::order]) == [FIRST, SECOND]


# --- conditions that exclude each other -----------------------------------------------------------


@pytest.mark.parametrize(
    "filters",
    [
        ["status=CONFIGURATION", "status=PAUSING"],
        ["name=orders-*", "status=CONFIGURATION", "status=PAUSING"],
        ["tag:wave=3", "tag:team=a", "tag:wave=4"],
        ["engine=mysql", "status=CONFIGURATION", "engine=other"],
    ],
)
def test_no_request_is_made_for_what_cannot_match(filters: list[str]) -> None:
    listing = Listing({FIRST: ABOUT})
    with pytest.raises(UsageError, match="No task can match"):
        find_tasks([parse_filter(one) for one in filters], listing)
    assert listing.asked == []


@pytest.mark.parametrize(
    "filters",
    [
        ["name=orders-*", "name=*-1"],
        ["status=CONFIGURATION", "status=CONFIGURATION"],
        ["tag:wave=3", "tag:team=4"],
        ["tag:status=3", "status=CONFIGURATION"],
    ],
)
def test_conditions_that_can_both_hold_are_no_contradiction(filters: list[str]) -> None:
    assert found(About("bills", "PAUSING"), *filters)[0] == FIRST


# --- a list that cannot be relied on --------------------------------------------------------------


def test_a_list_without_an_end_is_given_up() -> None:
    asked: list[int] = []

    def ask(_: Mapping[str, Any], page: int, size: int) -> TaskPage:
        asked.append(page)
        return TaskPage({task_id(page): ABOUT}, 10_000)

    with pytest.raises(ServiceError, match="does not end"):
        find_tasks([Filter("name", "*")], ask)
    assert asked == list(range(1, 1001))


def test_a_list_that_grows_or_shrinks_while_it_is_read_is_given_up() -> None:
    for second in (2, 4):
        pages = iter([TaskPage({FIRST: ABOUT}, 3), TaskPage({SECOND: ABOUT}, second)])
        with pytest.raises(ServiceError, match=f"changed while it was read: 3, then {second}"):
            find_tasks([Filter("name", "*")], lambda *_, pages=pages: next(pages))


def test_an_empty_page_before_the_end_is_no_end() -> None:
    pages = iter([TaskPage({FIRST: ABOUT}, 2), TaskPage({}, 2)])
    with pytest.raises(ServiceError, match="after 1 of 2"):
        find_tasks([Filter("name", "*")], lambda *_: next(pages))


def test_a_name_that_is_no_tasks_id_is_shown_and_bounded() -> None:
    odd = "x" * 10_000
    with pytest.raises(ServiceError, match=r"x{50}") as caught:
        find_tasks([Filter("name", "*")], Listing({FIRST: ABOUT, odd: ABOUT}))
    assert len(caught.value.message) < 300
    assert FIRST not in caught.value.message


def test_a_task_that_no_condition_means_may_have_any_name() -> None:
    listing = Listing({"odd": About("bills"), FIRST: ABOUT})
    assert list(find_tasks([Filter("name", "orders-*")], listing)) == [FIRST]


def test_long_conditions_that_match_nothing_are_bounded() -> None:
    long = [Filter("name", "x" * 10_000), Filter("name", "y" * 10_000)]
    with pytest.raises(UsageError, match=r"x{50}.* and .*y{50}") as caught:
        find_tasks(long, Listing({FIRST: ABOUT}))
    assert len(caught.value.message) < 500


def test_what_is_undecided_counts_the_tasks() -> None:
    with pytest.raises(ServiceError, match=f"no status for {SECOND}.* it matches") as caught:
        found(About("a"), "status=CONFIGURATION")
    assert "status" in caught.value.hint
    listing = Listing({FIRST: About("a"), SECOND: About("a")})
    with pytest.raises(ServiceError, match=" they match"):
        find_tasks([Filter("name", "a"), Filter("status", "X")], listing)


# --- how many -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("expected", "count"), [(None, 0), (None, 7), (3, 3), (0, 0)])
def test_the_number_that_is_expected_is_no_error(expected: int | None, count: int) -> None:
    check_count(expected, count)


@pytest.mark.parametrize(("expected", "count"), [(3, 2), (3, 4), (0, 1), (1, 0)])
def test_another_number_than_the_expected_is_an_error(expected: int, count: int) -> None:
    with pytest.raises(UsageError, match=f"{expected} .*{count}"):
        check_count(expected, count)
