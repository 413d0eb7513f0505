"""What stands under ``exit_code`` in a file of another kind is not repeated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.outcome import complaints

SECRET = "correct-horse-battery"


@pytest.mark.parametrize("code", [SECRET, {SECRET: SECRET}, [SECRET], None, True])
def test_an_exit_code_that_is_no_number_is_refused_and_not_quoted(code: Any) -> None:
    report = {
        "format": "precheck-gate/report",
        "format_version": 1,
        "verdict": "error",
        "tasks": [],
        "findings": [{"kind": "run", "title": "usage", "verdict": "error"}],
        "exit_code": code,
    }
    said = complaints(report)
    assert any("the exit code" in one for one in said)
    assert SECRET not in " ".join(said)
