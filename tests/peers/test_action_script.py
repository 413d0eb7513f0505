"""The parts of the action's script that need no runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.composite import action_script, load_action, read_outputs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def script() -> Any:
    """Return the script as a module."""
    return action_script()


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

    paths, wanted_now = script.choose_reports(env)

    assert (paths["junit"], paths["json"]) == expected
    assert paths["markdown"] == "precheck-gate-summary.md"
    told = [f"junit={junit}", *wanted_now]
    assert f"junit={expected[0]}" in told
    assert f"json={expected[1]}" in told


def test_what_the_script_splits_the_gate_splits_alike(script: Any) -> None:
    from precheck_gate.cli.options.types import REPORT

    text = "json=my report.json  junit=a b.xml\njson=-\n"
    _, wanted = script.choose_reports({"PRECHECK_GATE_REPORT": text})
    assert list(REPORT.split_envvar_value(text)) == list(wanted[:3])
    assert list(REPORT.split_envvar_value("\n".join(wanted))) == list(wanted)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, "error"), (1, "blocked"), (2, "error"), (3, "incomplete"), (70, "error"), (143, "error")],
)
def test_where_the_gate_said_nothing_the_code_speaks_and_nothing_is_green(
    script: Any, tmp_path: Path, code: int, verdict: str
) -> None:
    path = tmp_path / "output"
    path.write_text("earlier<<E\nkept\nE\n", "utf-8")
    assert not script.outputs_are_set(str(path))

    script.set_outputs(str(path), code)

    outputs = read_outputs(path)
    assert outputs.pop("earlier") == "kept"
    assert (outputs["verdict"], outputs["exit-code"]) == (verdict, str(code))
    assert (outputs["ready-tasks"], outputs["blocked-tasks"]) == ("[]", "[]")
    assert outputs.keys() == load_action()["outputs"].keys()


def test_what_the_gate_said_is_seen(script: Any, tmp_path: Path) -> None:
    from precheck_gate.ci import CiWorld, Written, load_system
    from tests.support.ci_runner import outcome_of
    from tests.support.verdicts import task

    path = tmp_path / "output"
    environ = {"GITHUB_OUTPUT": str(path)}
    assert not script.outputs_are_set(str(path))
    system = load_system("github", CiWorld(environ, print, float))
    system.conclude(outcome_of([task()]), Written({}))
    assert script.outputs_are_set(str(path))


def test_outputs_that_cannot_be_written_do_not_stop_the_script(
    script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not script.outputs_are_set(str(tmp_path))
    script.set_outputs(str(tmp_path), 1)
    assert "the outputs could not be set: Is a directory" in capsys.readouterr().out


def test_the_tokens_of_files_and_of_the_named_variable_are_hidden(
    script: Any, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("of-a-file\n", "utf-8")
    env = {
        "PRECHECK_GATE_ID_TOKEN_VARIABLE": "MINE",
        "MINE": "of-a-variable",
        "PRECHECK_GATE_TOKEN_FILE": str(tmp_path / "token"),
        "PRECHECK_GATE_ID_TOKEN_FILE": str(tmp_path / "absent"),
        "PRECHECK_GATE_TOKEN": "of-a-file",
        "PRECHECK_GATE_REGION": "not-a-secret",
    }
    assert sorted(script.secret_lines(env)) == ["of-a-file", "of-a-variable"]
