"""What proves that a result is of the pre-check that was started: the rules, one by one."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer, parse_started
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.polling.starting import Proof, mode_for, prove
from tests.support.harness import TASK, body, entry


def seen(progress: int | None, result: str = "true") -> Snapshot:
    shown = None if progress is None else Decimal(progress)
    return Snapshot(TASK, shown, "", result == "true", result, ())


@pytest.mark.parametrize(
    ("before", "now", "own", "proof"),
    [
        (seen(100), seen(100), False, None),
        (seen(100), seen(100), True, Proof.OWN_ID),
        (seen(100), seen(40), False, Proof.PROGRESS),
        (seen(100), seen(100, "false"), False, Proof.CHANGED),
        (seen(100), seen(None), False, None),
        # Nothing known of before: an old result could be there, or somebody else's be running.
        (None, seen(100), False, None),
        (None, seen(40), False, None),
        # Another pre-check was running already: its end is not ours.
        (seen(50), seen(100), False, None),
        (seen(50), seen(60), False, None),
        (seen(50), seen(10), False, Proof.PROGRESS),
        # At 0 % without an item, none was running; what is at 100 % then was never seen to run.
        (seen(0), seen(40), False, Proof.PROGRESS),
        (seen(0), seen(100), False, None),
        (seen(None), seen(100), False, None),
        (seen(None), seen(40), False, None),
    ],
)
def test_what_proves_a_new_result(
    before: Snapshot | None, now: Snapshot, own: bool, proof: Proof | None
) -> None:
    assert prove(before, now, own=own) is proof


@pytest.mark.parametrize(
    ("status", "mode"),
    [
        ("CONFIGURATION", "forStartJob"),
        ("START_JOB_FAILED", "forRetryJob"),
        ("FULL_TRANSFER_FAILED", "forRetryJob"),
        ("INCRE_TRANSFER_STARTED", ""),
        ("configuration", ""),
        ("FAILED", ""),
        ("", ""),
    ],
)
def test_the_mode_goes_by_the_status(status: str, mode: str) -> None:
    assert mode_for(status) == mode


def started(*results: object) -> dict[str, str | Trouble]:
    return parse_started(json.dumps({"results": list(results)}).encode())


def test_only_success_without_an_error_is_a_start() -> None:
    good = {"id": TASK, "precheck_id": "p", "status": "success"}
    assert started(good) == {TASK: "p"}
    for bad in (
        {**good, "status": "failed"},
        {**good, "status": "SUCCESS"},
        {**good, "status": None},
        {**good, "error_code": "DRS.M00289"},
        {**good, "error_msg": "no"},
    ):
        assert isinstance(started(bad)[TASK], Trouble), bad
    # Twice, once failed: in either order it is not sure to run.
    failed = {"id": TASK, "status": "failed"}
    assert isinstance(started(good, failed)[TASK], Trouble)
    assert isinstance(started(failed, good)[TASK], Trouble)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"results": [1]}', b'{"results": {}}'])
def test_what_is_no_answer_to_a_start_is_refused(content: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        parse_started(content)


def test_a_result_that_bears_the_started_ones_id_is_that_of_the_task() -> None:
    answer = parse_answer(body(entry("own-id")), {"own-id": TASK})
    assert answer.own == {TASK}
    snapshot = answer.entries[TASK]
    assert isinstance(snapshot, Snapshot)
    assert snapshot.task_id == TASK


def test_results_under_both_ids_that_differ_contradict_each_other() -> None:
    both = body(entry("own-id", result=False), entry(TASK))
    answer = parse_answer(both, {"own-id": TASK})
    trouble = answer.entries[TASK]
    assert isinstance(trouble, Trouble)
    assert trouble.kind is TroubleKind.CONTRADICTORY
