"""A task with a trouble is never green, and each kind of trouble has its verdict."""

from __future__ import annotations

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import FindingKind, Verdict
from tests.support.harness import TASK, body, entry, item, judge_observations

VERDICTS = {
    TroubleKind.NOT_ANSWERED: (Verdict.ERROR, 4),
    TroubleKind.TASK_ERROR: (Verdict.ERROR, 4),
    TroubleKind.MALFORMED: (Verdict.ERROR, 4),
    TroubleKind.SERVICE: (Verdict.ERROR, 4),
    TroubleKind.CONTRADICTORY: (Verdict.BLOCKED, 1),
    TroubleKind.STALE: (Verdict.INCOMPLETE, 3),
    TroubleKind.OUTDATED: (Verdict.INCOMPLETE, 3),
    TroubleKind.UNFINISHED: (Verdict.INCOMPLETE, 3),
}


def snapshot(status: str = "PASSED") -> Snapshot:
    found = parse_answer(body(entry(items=[item(result=status)]))).entries[TASK]
    assert isinstance(found, Snapshot)
    return found


@pytest.mark.parametrize("kind", TroubleKind)
@pytest.mark.parametrize("seen", [None, snapshot()])
def test_each_kind_of_trouble_has_its_verdict_with_a_green_snapshot_or_without(
    kind: TroubleKind, seen: Snapshot | None
) -> None:
    observation = Observation(TASK, seen, Trouble(kind, "what happened", "X.1", "do this"))
    judged = judge_observations([observation], [TASK])
    assert (judged.verdict, judged.code) == VERDICTS[kind]
    [own] = [one for one in judged.findings if one.kind is FindingKind.TASK]
    assert (own.verdict, own.message, own.code, own.next_step) == (
        *(VERDICTS[kind][0], "what happened"),
        *("X.1", "do this"),
    )


def test_a_task_that_was_never_asked_for_is_incomplete() -> None:
    judged = judge_observations([Observation(TASK)], [TASK])
    assert (judged.verdict, judged.code) == (Verdict.INCOMPLETE, 3)
    assert judged.says("the run ended before the service answered for this task")


def test_a_task_without_a_snapshot_tells_nothing_of_one() -> None:
    [task] = judge_observations([Observation(TASK)], [TASK]).tasks
    assert (task.progress, task.result, task.direction, task.passed_rate) == ("", "", "", "")
    [seen] = judge_observations([Observation(TASK, snapshot())], [TASK]).tasks
    assert (seen.progress, seen.result) == ('"100%"', "true")


def test_items_count_beside_a_trouble() -> None:
    trouble = Trouble(TroubleKind.CONTRADICTORY, "twice")
    judged = judge_observations([Observation(TASK, snapshot("ALARM"), trouble)], [TASK])
    assert judged.verdict is Verdict.BLOCKED
    assert judged.run.warnings == 1
