"""What went wrong with a run itself is an error, or incomplete where that is all it says."""

from __future__ import annotations

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import Verdict
from tests.support.harness import TASK, body, entry, judge_observations

INCOMPLETE = {TroubleKind.STALE, TroubleKind.OUTDATED, TroubleKind.UNFINISHED}


@pytest.mark.parametrize("kind", TroubleKind)
def test_no_trouble_of_a_run_is_green_nor_excused_as_blocked(kind: TroubleKind) -> None:
    snapshot = parse_answer(body(entry())).entries[TASK]
    assert isinstance(snapshot, Snapshot)
    judged = judge_observations(
        [Observation(TASK, snapshot)], [TASK], troubles=[Trouble(kind, "wrong")]
    )
    assert judged.verdict is (Verdict.INCOMPLETE if kind in INCOMPLETE else Verdict.ERROR)
