"""A setting that was lost on its way is refused by name, wherever it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import precheck_gate
from precheck_gate.cli import main_group
from precheck_gate.cli.options import known_variables
from precheck_gate.drs.auth.discovery import VARIABLES
from tests.support.evaluating import DOTENV_NAMES
from tests.support.outcome import ID, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.gate import Gate, Serve

ANSWER = str(Path(precheck_gate.__file__).parent / "simulator" / "answers" / "mysql.json")
LENIENT = "version: 1\nprofiles:\n  prod:\n    statuses: {PASSED: block}\n"


def commands(
    group: click.Group = main_group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


VALUES = [
    (path, param.opts[0])
    for path, command in commands()
    for param in command.params
    if isinstance(param, click.Option) and not param.is_flag
]


# -- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " "])
@pytest.mark.parametrize(("path", "name"), VALUES, ids=str)
def test_an_option_without_a_value_is_refused_by_name(
    gate: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: tuple[str, ...],
    name: str,
    text: str,
) -> None:
    # A report is written to whatever name is given for it.
    monkeypatch.chdir(tmp_path)
    outcome = gate.main(*path, name, text, with_reports=False)
    assert outcome.code == 2
    assert name in outcome.err


def test_an_empty_profile_does_not_leave_the_lenient_policy(gate: Gate, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(LENIENT, "utf-8")
    argv = ["evaluate", ANSWER, "--policy", str(policy), *gate.outputs]
    assert gate.main(*argv, "--profile", "prod").code == 1
    outcome = gate.main(*argv, "--profile", "")
    assert outcome.code == 2
    outcome.reports("The option --profile is empty: give it a value, or leave it out.")


# -- the environment ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PRECHECK_GATE_POLICIY", "PRECHECK_GATE_POLICY"),
        ("PRECHECK_GATE_STRICT_WAIVER", "PRECHECK_GATE_STRICT_WAIVERS"),
        ("PRECHECK_GATE_PROJECTID", "PRECHECK_GATE_PROJECT_ID"),
        ("PRECHECK_GATE_TOKENS", "PRECHECK_GATE_TOKEN"),
        ("PRECHECK_GATE_SIMULATE_PROT", "PRECHECK_GATE_SIMULATE_PORT"),
        ("precheck_gate_policy", "PRECHECK_GATE_POLICY"),
    ],
)
@pytest.mark.parametrize("value", ["strict.yaml", ""])
@pytest.mark.parametrize("command", ["evaluate", "run"])
def test_a_misspelt_variable_is_refused_with_what_was_meant(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str, meant: str, value: str, command: str
) -> None:
    monkeypatch.setenv(name, value)
    argument = ANSWER if command == "evaluate" else ID
    outcome = gate.main(command, argument, *gate.outputs)
    assert outcome.code == 2
    outcome.reports(f"Unknown variable: {name}", f"did you mean {meant}?")
    assert "strict.yaml" not in outcome.text


def test_a_variable_that_is_like_none_is_refused_too(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        monkeypatch.setenv(f"PRECHECK_GATE_XYZZY_{number}", TOKEN)
    outcome = gate.main("evaluate", ANSWER, *gate.outputs)
    assert outcome.code == 2
    outcome.reports("PRECHECK_GATE_XYZZY_0", "and 25 more")


@pytest.mark.parametrize("name", ["PRECHECK_GATE_FOO", "PRECHECK_GATE_XY", "PRECHECK_GATE_"])
def test_nothing_is_proposed_for_a_variable_that_is_like_none(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "x")
    outcome = gate.main("evaluate", ANSWER, *gate.outputs)
    assert outcome.code == 2
    outcome.reports(f"Unknown variable: {name}. Correct")
    assert "did you mean" not in outcome.text


@pytest.mark.parametrize(
    "argv",
    [
        ["policy", "validate", "p.yaml"],
        ["policy", "show"],
        ["simulate", "--port", "0"],
        ["doctor"],
        ["report", "r.json", "--to", "html=x"],
    ],
)
def test_every_command_that_reads_variables_refuses_those_that_are_none(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_POLICIY", "x")
    outcome = gate.main(*argv, with_reports=False)
    assert outcome.code == 2
    assert "PRECHECK_GATE_POLICIY" in outcome.err


@pytest.mark.parametrize("argv", [["--help"], ["run", "--help"], ["--version"]])
def test_help_is_given_all_the_same(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_POLICIY", "x")
    assert gate.main(*argv, with_reports=False).code == 0


def test_variables_that_others_of_ours_read_or_write_are_known() -> None:
    ours = [name for _, command in commands() for one in command.params for name in texts(one)]
    known = known_variables(main_group)
    assert "PRECHECK_GATE_SIMULATE_PORT" in ours
    assert set(ours) <= known
    assert {f"PRECHECK_GATE_{name}" for name in DOTENV_NAMES} <= known
    credentials = {name for name in VARIABLES if name.startswith("PRECHECK_GATE_")}
    assert len(credentials) == 7
    assert credentials <= known


def texts(param: click.Parameter) -> list[str]:
    given = param.envvar
    return [given] if isinstance(given, str) else list(given or ())


@pytest.mark.parametrize("name", ["READY_TASKS", "VERDICT", "REGION", "SIMULATE_PORT", "TOOLS"])
def test_a_variable_that_another_command_knows_is_no_mistake(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"PRECHECK_GATE_{name}", "")
    assert gate.main("evaluate", ANSWER, "--task", ID, *gate.outputs).code == 0


def test_the_variable_that_holds_the_id_token_is_known(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_MY_CI_JWT", TOKEN)
    argv = gate.arguments(serve("mysql").url, "--auth=token")
    assert gate.main(*argv).code == 2
    monkeypatch.setenv("PRECHECK_GATE_ID_TOKEN_VARIABLE", "PRECHECK_GATE_MY_CI_JWT")
    assert gate.main(*argv).code == 0


@pytest.mark.parametrize(
    "name", ["TOKEN", "ACCESS_KEY", "SECRET_KEY", "SECURITY_TOKEN", "USER_NAME", "PASSWORD"]
)
def test_an_empty_credential_is_not_replaced_by_another(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, serve: Serve, name: str
) -> None:
    monkeypatch.delenv("PRECHECK_GATE_TOKEN")
    monkeypatch.setenv("OS_TOKEN", TOKEN)
    monkeypatch.setenv(f"PRECHECK_GATE_{name}", " ")
    service = serve("mysql")
    outcome = gate.run(service.url)
    assert outcome.code == 2
    outcome.reports(f"The variable PRECHECK_GATE_{name} is empty: give it a value, or unset it")
    assert not service.requests


def test_a_credential_that_an_option_names_needs_no_variable(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, serve: Serve, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", "")
    file = tmp_path / "token"
    file.write_text(TOKEN, "utf-8")
    assert gate.run(serve("mysql").url, "--token-file", str(file)).code == 0
