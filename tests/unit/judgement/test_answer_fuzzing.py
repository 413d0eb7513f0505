"""Twenty thousand mangled answers: none is green unless the oracle and the second key agree."""

from __future__ import annotations

import pytest

from precheck_gate.judgement import task
from precheck_gate.model.verdicts import Verdict
from tests.answer_fuzzing import fuzz


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_mangled_answer_is_green_unless_the_oracle_agrees(seed: int) -> None:
    tally = fuzz(5_000, seed)
    assert tally.wrong == []
    # The fuzz reaches both sides of the gate, and the parser as well as the judgement.
    assert tally.green > 250
    assert tally.refused > 250
    assert tally.judged == 5_000


def test_the_fuzz_finds_a_judgement_that_is_too_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "worst", lambda verdicts: Verdict.PASSED)
    assert fuzz(500, 1).wrong
