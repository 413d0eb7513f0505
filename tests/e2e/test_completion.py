"""Completion in shells: what a person gets who presses Tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate

VARIABLE = "_PRECHECK_GATE_COMPLETE"
bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")

# As bash does when Tab is pressed: it calls the function that the script made for the program.
PRESS_TAB = """
eval "$(_PRECHECK_GATE_COMPLETE=bash_source precheck-gate)" || exit 9
set -- $(complete -p precheck-gate)
while [ "$1" != -F ]; do shift; done
function=$2
compopt() { echo "$@"; }
read -ra COMP_WORDS <<<"$TYPED"
[ "${TYPED: -1}" = " " ] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
"$function" precheck-gate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program under its name, as pip installs it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "precheck-gate"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m precheck_gate "$@"\n')
    script.chmod(0o755)
    return folder


def completed(program: Path, typed: str) -> list[str]:
    path = f"{program}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", PRESS_TAB],
        env={**os.environ, "PATH": path, "TYPED": typed},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.split()


@bash
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("precheck-gate e", ["evaluate", "explain"]),
        ("precheck-gate policy l", ["lint"]),
        ("precheck-gate run --max-s", ["--max-staleness"]),
        ("precheck-gate run --redact ", ["data", "reasons", "all"]),
        ("precheck-gate run --report sa", ["sarif="]),
        ("precheck-gate policy test --junit jun", ["-o", "default"]),
        ("precheck-gate rum --re", []),
    ],
)
def test_bash_completes(program: Path, typed: str, expected: list[str]) -> None:
    assert completed(program, typed) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv(VARIABLE, f"{shell}_source")
    outcome = gate.main(with_reports=False)
    assert outcome.code == 0
    assert f"{VARIABLE}={shell}_complete" in outcome.out


@pytest.mark.parametrize("instruction", ["pwsh_source", "bash_complete", "bash_x", "x"])
def test_what_no_shell_asks_for_is_an_error(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, instruction: str
) -> None:
    monkeypatch.setenv(VARIABLE, instruction)
    outcome = gate.main(with_reports=False)
    assert outcome.code == 2
    assert "bash_source, zsh_source or fish_source" in outcome.err


def test_a_variable_that_was_left_over_makes_no_gate_green(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "bash_source")
    outcome = gate.main("run", *gate.outputs)
    assert outcome.code == 2
    outcome.reports("No task is named")


def test_a_list_of_commands_loads_none_of_them(program: Path) -> None:
    code = (
        "import os, sys\nfrom precheck_gate.__main__ import run_main\nrun_main([])\n"
        "print(*[name for name in sys.modules if name.startswith('precheck_gate.cli.')])"
    )
    environ = {VARIABLE: "bash_complete", "COMP_WORDS": "precheck-gate ", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    *_, loaded = done.stdout.splitlines()
    assert "plain,run" in done.stdout
    assert "cli.run " not in f"{loaded} "
    assert "cli.execution" not in loaded
