"""What is not said of an item is not so: nobody skipped it, and nobody could."""

from __future__ import annotations

from decimal import Decimal

from precheck_gate.findings import Verdict
from precheck_gate.model import Item, Observation, Snapshot, Status
from tests.harness import TASK, judge_observations, policy


def test_an_item_of_which_nothing_more_is_said_was_not_skipped_and_could_not_be() -> None:
    plain = Item("a", "network", Status.FAILED, "FAILED")
    assert (plain.skipped, plain.skippable, plain.sub_tasks) == (False, False, ())
    snapshot = Snapshot(TASK, Decimal(100), '"100%"', ready=True, raw_result="true", items=(plain,))
    skipping = policy("version: 1\nskipped: allow\n")
    judged = judge_observations([Observation(TASK, snapshot)], [TASK], skipping)
    assert judged.verdict is Verdict.BLOCKED
