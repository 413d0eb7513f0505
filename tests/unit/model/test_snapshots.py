"""What a snapshot says of its items by itself: nothing that was not sent, and nothing too early."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from precheck_gate.model.snapshots import Item, Observation, Snapshot, Status, SubTask
from precheck_gate.model.verdicts import Verdict
from tests.support.harness import TASK, judge_observations, policy


def test_an_item_of_which_nothing_more_is_said_was_not_skipped_and_could_not_be() -> None:
    plain = Item("a", "network", Status.FAILED, "FAILED")
    assert (plain.skipped, plain.skippable, plain.sub_tasks) == (False, False, ())
    snapshot = Snapshot(TASK, Decimal(100), '"100%"', ready=True, raw_result="true", items=(plain,))
    skipping = policy("version: 1\nskipped: allow\n")
    judged = judge_observations([Observation(TASK, snapshot)], [TASK], skipping)
    assert judged.verdict is Verdict.BLOCKED


@pytest.mark.parametrize("number", range(3))
def test_one_check_that_runs_keeps_a_snapshot_unfinished(number: int) -> None:
    done = Item("a", "network", Status.PASSED, "PASSED")
    runs = replace(done, status=Status.UNKNOWN, raw_status="")
    subs = tuple(
        SubTask(str(index), "", Status.PASSED, "" if index == number else "PASSED")
        for index in range(3)
    )
    for unfinished in (runs, replace(done, sub_tasks=subs)):
        items = tuple(unfinished if index == number else done for index in range(3))
        snapshot = Snapshot(TASK, Decimal(100), "100", ready=True, raw_result="true", items=items)
        assert snapshot.unfinished
        assert not replace(snapshot, items=(done, done)).unfinished
