"""The help of commands: in sections with every option, and on one screen with -h."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from precheck_gate.cli import main_group
from precheck_gate.cli.options import Command
from precheck_gate.errors import EXIT_CODE_MEANINGS, ExitCode

if TYPE_CHECKING:
    from tests.support.gate import Gate

SECTIONS = {
    "run": ["Tasks", "Service", "Credential", "Waiting", "Starting pre-checks", "Policy", "Output"],
    "evaluate": ["Tasks", "Policy", "Output"],
    "doctor": ["Service", "Credential"],
}
ALL = main_group.list_commands(click.Context(main_group))


def command_named(name: str) -> click.Command:
    command = main_group.get_command(click.Context(main_group), name)
    assert command is not None
    return command


def options_of(name: str) -> list[click.Option]:
    return [one for one in command_named(name).params if isinstance(one, click.Option)]


@pytest.mark.parametrize("name", SECTIONS)
def test_options_are_in_sections_after_the_exit_codes(gate: Gate, name: str) -> None:
    text = gate.main(name, "--help", with_reports=False).out
    headings = re.findall(r"^([A-Z][A-Za-z -]+):$", text, re.MULTILINE)
    first = ["Exit codes"] if name != "evaluate" else []
    assert headings == [*first, *SECTIONS[name], "Other options"]


@pytest.mark.parametrize("name", SECTIONS)
def test_help_has_the_whole_text_of_every_option(gate: Gate, name: str) -> None:
    # Without whitespace, since lines may break at hyphens.
    letters = "".join(gate.main(name, "--help", with_reports=False).out.split())
    options = options_of(name)
    assert len(options) > 10
    for option in options:
        assert option.help
        assert "".join(option.help.split()) in letters


def test_the_help_of_run_has_every_exit_code(gate: Gate) -> None:
    text = gate.main("run", "--help", with_reports=False).out
    for code, meaning in EXIT_CODE_MEANINGS.items():
        assert re.search(rf"^ +{int(code)}  {re.escape(meaning)}$", text, re.MULTILINE)


def test_no_help_shows_a_type_of_the_program(gate: Gate) -> None:
    for name in ("run", "evaluate", "simulate", "doctor", "report"):
        text = gate.main(name, "--help", with_reports=False).out
        assert "RANGE" not in text


# --- the short screen -----------------------------------------------------------------------------

BRIEF = [name for name in ALL if getattr(command_named(name), "brief", None)]


def test_run_has_a_short_screen() -> None:
    assert "run" in BRIEF


@pytest.mark.parametrize("name", BRIEF)
def test_short_help_fits_one_screen_and_names_the_long_one(gate: Gate, name: str) -> None:
    lines = gate.main(name, "-h", with_reports=False).out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[-1] == f"Run 'precheck-gate {name} --help' for all options."


@pytest.mark.parametrize("name", BRIEF)
def test_short_help_shows_real_options(gate: Gate, name: str) -> None:
    command = command_named(name)
    assert isinstance(command, Command)
    shown = gate.main(name, "-h", with_reports=False).out
    for option in options_of(name):
        if option.name in command.brief:
            assert max(option.opts, key=len) in shown
            assert command.brief[option.name] in " ".join(shown.split())
    assert set(command.brief) <= {param.name for param in command.params}


def test_the_short_help_of_run_has_every_exit_code(gate: Gate) -> None:
    text = gate.main("run", "-h", with_reports=False).out
    codes = text.partition("Exit codes:")[2].partition("Options:")[0]
    assert {int(one) for one in re.findall(r"\d+", codes)} == set(map(int, ExitCode))


def test_the_long_help_is_longer(gate: Gate) -> None:
    for name in ALL:
        brief = gate.main(name, "-h", with_reports=False)
        whole = gate.main(name, "--help", with_reports=False)
        assert (brief.code, whole.code) == (0, 0)
        assert (brief.out != whole.out) == (name in BRIEF)


def test_short_help_does_not_need_valid_arguments(gate: Gate) -> None:
    outcome = gate.main("run", "not-a-task", "--policy=nosuch", "-h", with_reports=False)
    assert outcome.code == 0
    assert outcome.out.startswith("Usage: precheck-gate run")
