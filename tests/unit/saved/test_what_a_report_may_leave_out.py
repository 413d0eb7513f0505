"""A report without an optional field, or without a task that nobody judged, is no contradiction."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from tests.support.harness import OTHER
from tests.support.outcome import complaints
from tests.unit.saved.test_contradictions import outcome

if TYPE_CHECKING:
    from pathlib import Path

OF_A_REPORT = ("requested", "counts", "exit_code", "findings")


def test_no_optional_field_is_needed(tmp_path: Path) -> None:
    whole = outcome("passed", tmp_path)
    for field in OF_A_REPORT:
        report = copy.deepcopy(whole)
        del report[field]
        assert complaints(report) == [], field
    for field in ("result", "progress"):
        report = copy.deepcopy(whole)
        del report["tasks"][0][field]
        assert complaints(report) == [], field
    for finding in whole["tasks"][0]["findings"]:
        del finding["effect"]
    assert complaints(whole) == []


@pytest.mark.parametrize(("verdict", "consistent"), [("error", True), ("passed", False)])
def test_only_a_red_report_may_lack_a_task_that_was_asked_for(
    verdict: str, consistent: bool, tmp_path: Path
) -> None:
    report = outcome("passed", tmp_path)
    against = report["tasks"][0]["findings"][0] | {"kind": "run", "verdict": verdict}
    del against["effect"]
    report["requested"].append(OTHER)
    report |= {"verdict": verdict, "findings": [against], "exit_code": 4 if consistent else 0}
    assert (complaints(report) == []) is consistent


@pytest.mark.parametrize("code", ["0", False, None, 0.0, 0.5, -2])
def test_an_exit_code_is_a_whole_number(code: object, tmp_path: Path) -> None:
    report = outcome("passed", tmp_path) | {"exit_code": code}
    assert complaints(report) != []


def test_an_unknown_signal_is_a_contradiction(tmp_path: Path) -> None:
    report = outcome("passed", tmp_path) | {"interrupted_by": "SIGHUP"}
    assert complaints(report) != []


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_run_ends_with_the_code_of_its_signal(
    signal: str, code: int, tmp_path: Path
) -> None:
    report = outcome("incomplete", tmp_path) | {"interrupted_by": signal}
    assert complaints(report | {"exit_code": code}) == []
    for other in (0, 3, 130, 143):
        if other != code:
            assert complaints(report | {"exit_code": other}) != []


@pytest.mark.parametrize(("code", "consistent"), [(125, True), (126, False), (127, False)])
def test_a_code_for_warnings_is_none_that_a_shell_gives(
    code: int, consistent: bool, tmp_path: Path
) -> None:
    report = outcome("warnings with a code", tmp_path) | {"exit_code": code}
    assert (complaints(report) == []) is consistent
