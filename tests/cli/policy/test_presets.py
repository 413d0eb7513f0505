"""The built-in presets hold what their cases say, through the command and its reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.policy.loading import PRESETS
from precheck_gate.policy_tests.case_files import read_case_file
from tests.support.commands import policy_test
from tests.support.paths import ROOT, TESTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Output

FOLDER = TESTS / "data" / "presets"


def run(*arguments: str) -> Output:
    return policy_test(*arguments)


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_tested_and_holds(name: str) -> None:
    output = run(str(FOLDER / f"{name}.test.yaml"))
    assert output.code == 0, output.out
    cases = read_case_file(FOLDER / f"{name}.test.yaml")
    assert f"{len(cases)} cases: {len(cases)} passed" in output.out
    assert len(cases) >= 5


def test_the_folder_is_found_as_a_whole() -> None:
    output = run(str(FOLDER), "--quiet")
    assert output.code == 0
    assert output.out.splitlines()[0].endswith("passed")
    assert "failed" not in output.out


@pytest.mark.parametrize(
    ("name", "instead"),
    [("strict", "default"), ("default", "permissive"), ("permissive", "default")],
)
def test_the_cases_tell_one_preset_from_another(name: str, instead: str, tmp_path: Path) -> None:
    text = (FOLDER / f"{name}.test.yaml").read_text()
    answers = ROOT / "precheck_gate" / "simulator" / "answers"
    text = text.replace("../../../precheck_gate/simulator/answers", str(answers))
    changed = tmp_path / "changed.test.yaml"
    changed.write_text(text.replace(f"policy: builtin:{name}", f"policy: builtin:{instead}"))
    output = run(str(changed))
    assert output.code == 1
    assert "expect.verdict" in output.out
