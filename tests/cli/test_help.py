"""The help of commands with many options: found under headings, and none of them lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from precheck_gate.cli import main_group

if TYPE_CHECKING:
    from tests.support.gate import Gate

SECTIONS = {
    "run": ["Tasks", "Service", "Credential", "Waiting", "Starting pre-checks", "Policy", "Output"],
    "evaluate": ["Tasks", "Policy", "Output"],
    "doctor": ["Service", "Credential"],
}


@pytest.mark.parametrize("name", SECTIONS)
def test_options_stand_under_headings(gate: Gate, name: str) -> None:
    text = gate.main(name, "--help", with_reports=False).out
    headings = re.findall(r"^([A-Z][A-Za-z -]+):$", text, re.MULTILINE)
    assert headings == [*SECTIONS[name], "Other options"]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_option_is_told_once_with_all_of_its_text(gate: Gate, name: str) -> None:
    words = " ".join(gate.main(name, "--help", with_reports=False).out.split())
    command = main_group.get_command(click.Context(main_group), name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert len(options) > 10
    for option in options:
        assert option.help
        assert words.count(" ".join(option.help.split())) >= 1


def test_no_help_shows_a_type_of_the_program(gate: Gate) -> None:
    for name in ("run", "evaluate", "simulate", "doctor", "report"):
        text = gate.main(name, "--help", with_reports=False).out
        assert "RANGE" not in text
