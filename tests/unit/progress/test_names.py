"""The names of tasks in the live table, in a terminal of any width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from precheck_gate.cli.progress.board import Board
from precheck_gate.cli.progress.live import Signs, draw
from precheck_gate.model.verdicts import Verdict
from precheck_gate.runtime.console import cells
from tests.support.harness import OTHER, TASK

if TYPE_CHECKING:
    from precheck_gate.model.snapshots import Snapshot

EUROPE, AMERICA = "customer-orders-eu-west", "customer-orders-us-east"
UNICODE = Signs.for_terminal(ascii_only=False)


def passes(_snapshot: Snapshot) -> Verdict:
    return Verdict.PASSED


def rows(columns: int, *titles: str, signs: Signs = UNICODE) -> list[str]:
    """Return the rows of two tasks that are called so."""
    board = Board([TASK, OTHER], passes)
    for task, title in zip([TASK, OTHER], titles, strict=False):
        board.call(task, title)
    return [line.plain for line in draw(board, signs, (columns, 24), (1.0, 0.0), "")[1:3]]


def name_in(row: str) -> str:
    """Return what stands between the mark and the bar."""
    match = re.match(r"\S+\s+(.*?)\s+(╌|-)\2+ ", row)
    assert match is not None, row
    return match[1]


@pytest.mark.parametrize("columns", [58, 80, 100, 110, 140, 200])
def test_a_name_is_whole_where_the_width_has_room_for_it(columns: int) -> None:
    assert [name_in(row) for row in rows(columns, EUROPE, AMERICA)] == [EUROPE, AMERICA]


@pytest.mark.parametrize("columns", range(30, 121))
def test_names_are_different_in_every_width_and_the_bars_below_each_other(columns: int) -> None:
    one, other = rows(columns, EUROPE, AMERICA)
    assert name_in(one) != name_in(other)
    assert one.index("╌") == other.index("╌")
    assert max(cells(one), cells(other)) < columns


def test_a_name_is_cut_where_it_is_not_the_same_as_another() -> None:
    assert [name_in(row) for row in rows(40, EUROPE, AMERICA)] == ["custo…u-west", "custo…s-east"]
    middle = [name_in(row) for row in rows(40, "shop-eu-orders-prod", "shop-us-orders-prod")]
    assert middle == ["shop-e…-prod", "shop-u…-prod"]


def test_names_that_no_cut_keeps_apart_give_way_to_the_short_id() -> None:
    alike = (f"{'a' * 30}1{'b' * 30}", f"{'a' * 30}2{'b' * 30}")
    assert [name_in(row) for row in rows(40, *alike)] == [TASK[:8], OTHER[:8]]


def test_two_tasks_of_one_name_are_told_apart_by_their_ids() -> None:
    assert [name_in(row) for row in rows(100, "orders", "orders")] == [
        f"orders {TASK[:8]}",
        f"orders {OTHER[:8]}",
    ]


def test_a_task_without_a_name_keeps_its_id() -> None:
    assert [name_in(row) for row in rows(80, EUROPE)] == [EUROPE, OTHER[:8]]
    assert [name_in(row) for row in rows(140, EUROPE)] == [EUROPE, OTHER]


def test_wide_characters_count_by_their_columns() -> None:
    for columns in range(30, 100):
        one, other = rows(columns, "数据库迁移任务" * 4, EUROPE)
        assert cells(one.partition("╌")[0]) == cells(other.partition("╌")[0])


def test_a_terminal_of_ascii_gets_a_cut_in_ascii() -> None:
    shown = rows(40, EUROPE, AMERICA, signs=Signs.for_terminal(ascii_only=True))
    assert all(row.isascii() for row in shown)
    assert "~" in shown[0]
