"""What stands under ``exit_code`` in a file of another kind is not repeated."""

from __future__ import annotations

from typing import Any

import pytest

from precheck_gate.saved.consistency import contradictions

SECRET = "correct-horse-battery"


@pytest.mark.parametrize("code", [SECRET, {SECRET: SECRET}, [SECRET], None, True])
def test_an_exit_code_that_is_no_number_is_refused_and_not_quoted(code: Any) -> None:
    report = {"verdict": "error", "tasks": [], "findings": [], "exit_code": code}
    report["findings"] = [{"kind": "run", "title": "usage", "verdict": "error"}]
    said = list(contradictions(report))
    assert any("the exit code" in one for one in said)
    assert SECRET not in " ".join(said)
