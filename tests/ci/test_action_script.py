"""The parts of the action's script that need no runner."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .composite import ROOT, read_outputs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def script() -> Any:
    """Return the script as a module."""
    path = ROOT / "integrations" / "github" / "action.py"
    spec = importlib.util.spec_from_file_location("precheck_gate_action", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("junit", "wanted", "expected"),
    [
        ("", "", ("precheck-gate-junit.xml", "precheck-gate-report.json")),
        ("j.xml", "", ("j.xml", "precheck-gate-report.json")),
        ("", "json=r.json junit=k.xml", ("k.xml", "r.json")),
        ("j.xml", "junit=k.xml\njson=r.json", ("j.xml", "r.json")),
        ("", "json=my report.json\njunit=a b.xml", ("a b.xml", "my report.json")),
        ("-", "json=-", ("precheck-gate-junit.xml", "precheck-gate-report.json")),
        ("", "json=- json=r.json", ("precheck-gate-junit.xml", "r.json")),
    ],
)
def test_both_reports_are_always_written_somewhere(
    script: Any, junit: str, wanted: str, expected: tuple[str, str]
) -> None:
    env = {"PRECHECK_GATE_JUNIT": junit, "PRECHECK_GATE_REPORT": wanted}

    reports = script.choose_reports(env)

    assert (reports.junit, reports.report) == expected
    told = [f"junit={junit}", *reports.wanted]
    assert f"junit={expected[0]}" in told
    assert f"json={expected[1]}" in told


def test_what_the_script_splits_the_gate_splits_alike(script: Any) -> None:
    from precheck_gate.cli.options import REPORT

    text = "json=my report.json  junit=a b.xml\njson=-\n"
    wanted = script.choose_reports({"PRECHECK_GATE_REPORT": text}).wanted
    assert list(REPORT.split_envvar_value(text)) == list(wanted[:3])
    assert list(REPORT.split_envvar_value("\n".join(wanted))) == list(wanted)


@pytest.mark.parametrize(
    ("content", "code", "verdict"),
    [
        ({"verdict": "blocked"}, 0, "blocked"),
        ({"verdict": 1}, 4, "error"),
        ({}, 1, "blocked"),
        ([], 3, "incomplete"),
        (None, 0, "error"),
        (None, 70, "error"),
        (None, 143, "error"),
    ],
)
def test_the_verdict_is_the_reports_or_else_what_the_code_says(
    script: Any, tmp_path: Path, content: object, code: int, verdict: str
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(json.dumps(content), "utf-8")
    assert script.read_verdict(str(path), code) == verdict


def test_no_value_can_end_an_output_early(script: Any, tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text("earlier<<E\nkept\nE\n", "utf-8")
    evil = "x\nprecheck-gate-0\nEOF\nverdict<<EOF\npassed\nEOF"

    script.set_outputs({"GITHUB_OUTPUT": str(path)}, {"junit": evil, "verdict": "blocked"})
    script.set_outputs({"GITHUB_OUTPUT": str(path)}, {"again": ""})

    assert read_outputs(path) == {
        "earlier": "kept",
        "junit": evil,
        "verdict": "blocked",
        "again": "",
    }


def test_outputs_that_cannot_be_written_do_not_stop_the_script(
    script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script.set_outputs({"GITHUB_OUTPUT": str(tmp_path)}, {"verdict": "blocked"})
    script.set_outputs({}, {"verdict": "blocked"})
    assert capsys.readouterr().out.count("the outputs could not be set") == 2
