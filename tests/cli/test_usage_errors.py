"""Command lines that click refuses: the reports that they name tell of it; none stays old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate


@pytest.fixture
def old(gate: Gate) -> Path:
    """The report of the last build, which was green."""
    path = gate.folder / "junit.xml"
    path.write_text("OLD", encoding="utf-8")
    return path


WRONG = pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--timeout", "30x"], "'30x' is not a duration"),
        (["--nosuch"], "--nosuch"),
        (["--nosuch=1", "--nor=2"], "--nosuch"),
        (["--quiet=3"], "does not take a value"),
        (["--report", "nosuch=x"], "there is no report format 'nosuch'"),
        (["--policy", ""], "the path is empty"),
        (["--ci", "none", "--now", "never"], "'never' is not a date"),
    ],
)


@WRONG
def test_the_reports_tell_of_it(gate: Gate, old: Path, wrong: list[str], words: str) -> None:
    for argv in (["run", ID, *wrong, *gate.outputs], ["run", *gate.outputs, *wrong]):
        old.write_text("OLD", encoding="utf-8")
        outcome = gate.main(*argv)
        assert outcome.code == 2
        outcome.reports(words)
        assert "error: " in outcome.err
        assert "See precheck-gate run --help." in outcome.err
        assert "exit     2 " in outcome.out


def test_an_option_without_its_value_at_the_end(gate: Gate, old: Path) -> None:
    outcome = gate.main("run", ID, *gate.outputs, "--timeout")
    assert outcome.code == 2
    outcome.reports("'--timeout' requires an argument")


def test_an_option_before_the_command(gate: Gate, old: Path) -> None:
    outcome = gate.main("--quiet", "run", ID, *gate.outputs)
    assert outcome.code == 2
    outcome.reports("--quiet")


def test_evaluate_without_an_answer(gate: Gate, old: Path) -> None:
    outcome = gate.main("evaluate", *gate.outputs)
    assert outcome.code == 2
    outcome.reports("Missing argument")


def test_reports_that_the_environment_names(
    gate: Gate, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_JUNIT", str(old))
    monkeypatch.setenv("PRECHECK_GATE_REPORT", f"json={gate.folder / 'report.json'} nosuch=x")
    outcome = gate.main("run", ID)
    assert outcome.code == 2
    outcome.reports("there is no report format 'nosuch'")


@pytest.mark.parametrize(
    "argv",
    [
        ["run", "--policy", "FILE", "--junit", "FILE", "--nosuch"],
        ["run", "--tasks-from=FILE", "--junit=FILE", "--timeout", "30x"],
        ["evaluate", "FILE", "--junit", "FILE", "--nosuch"],
        ["run", "--nosuch", "FILE", "--junit", "FILE"],
        ["run", "--policy", "CHILD", "--junit", "FILE", "--nosuch"],
        ["run", "--junit", "FILE", "--report", "json=FILE", "--nosuch"],
    ],
)
def test_no_input_is_overwritten_all_the_same(gate: Gate, tmp_path: Path, argv: list[str]) -> None:
    file, child = tmp_path / "base.yaml", tmp_path / "child.yaml"
    file.write_text("version: 1\n", encoding="utf-8")
    child.write_text("version: 1\nextends: ./base.yaml\n", encoding="utf-8")
    places = [one.replace("FILE", str(file)).replace("CHILD", str(child)) for one in argv]
    outcome = gate.main(*places, with_reports=False)
    assert outcome.code == 2
    assert file.read_text("utf-8") == "version: 1\n"


def test_advisory_and_other_options_are_not_trusted(gate: Gate, old: Path) -> None:
    outcome = gate.main("run", ID, "--advisory", "--warn-exit-code=0", *gate.outputs)
    assert outcome.code == 2
    assert outcome.report["advisory"] is False


def test_a_credential_in_the_wrong_place_is_not_told(gate: Gate, old: Path) -> None:
    outcome = gate.main("run", ID, "--timeout", TOKEN, *gate.outputs)
    assert outcome.code == 2
    outcome.reports("that looks like a credential itself)' is not a duration")


@pytest.mark.parametrize("argv", [["simulate", "--port", "x"], ["policy", "lint", "--nosuch"]])
def test_the_other_commands_tell_it_in_the_same_form(gate: Gate, argv: list[str]) -> None:
    outcome = gate.main(*argv, with_reports=False)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert "--help." in outcome.err


@pytest.mark.parametrize("blank", [["--junit", " "], ["--report", "json= "]])
def test_a_blank_path_writes_no_file(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, blank: list[str]
) -> None:
    monkeypatch.chdir(gate.folder)
    assert gate.main("run", ID, *blank, with_reports=False).code == 2
    assert not list(gate.folder.iterdir())
