"""The group `policy` itself, `policy init` and `policy schema`."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from typing import TYPE_CHECKING

import click
import jsonschema
import pytest

from precheck_gate.cli.commands.policy import SUBCOMMANDS, policy
from precheck_gate.documents import validation
from precheck_gate.documents.yaml_document import parse_document
from tests.support.commands import call

STARTER = (resources.files("precheck_gate.cli.commands.policy") / "starter.yaml").read_text("utf-8")

if TYPE_CHECKING:
    from pathlib import Path


def test_the_help_lists_each_command(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "policy", "--help")
    assert done.code == 0
    for name, text in SUBCOMMANDS.items():
        assert name in done.out
        assert text[:30] in done.out


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_command_is_there_under_its_own_name(name: str) -> None:
    command = policy.get_command(click.Context(policy), name)
    assert isinstance(command, click.Command)
    assert command.name == name


def test_without_a_command_it_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "policy")
    assert done.code == 2
    assert "Commands:" in done.out + done.err


def test_an_unknown_command_is_answered_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = call(capsys, "policy", "valdiate")
    assert done.code == 2
    assert "There is no command 'policy valdiate'. Did you mean 'validate'?" in done.err


def test_the_schema_is_the_published_one(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "policy", "schema")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == validation.load_schema("policy-1")
    jsonschema.Draft202012Validator.check_schema(json.loads(done.out))


def test_the_starter_is_valid_without_a_warning_and_explains_itself(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    done = call(capsys, "policy", "init")
    assert (done.code, done.err) == (0, "")
    assert "precheck-policy.yaml" in done.out
    text = (tmp_path / "precheck-policy.yaml").read_text(encoding="utf-8")
    assert text == STARTER
    assert text.startswith("# yaml-language-server: $schema=./precheck-policy.schema.json\n")
    assert "precheck-gate policy schema > precheck-policy.schema.json" in text
    done = call(capsys, "policy", "validate", "precheck-policy.yaml", "--profile", "production")
    assert done.code == 0
    assert call(capsys, "policy", "lint", "precheck-policy.yaml", "--strict").code == 0


def test_the_waiver_in_the_comments_of_the_starter_is_valid_too() -> None:
    text = STARTER.replace("# waivers:", "waivers:").replace("#   ", "  ")
    document = parse_document(text.replace("precheck-gate", "# precheck-gate"), "starter.yaml")
    validation.check(document, "policy-1", "policy")
    assert document.value["waivers"][0]["id"] == "W-1"


def test_what_is_there_is_never_overwritten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    done = call(capsys, "policy", "init", "mine.yaml")
    assert (done.code, done.out) == (2, "")
    assert "mine.yaml already exists." in done.err
    assert (tmp_path / "mine.yaml").read_text() == "mine"
    (tmp_path / "link.yaml").symlink_to("nowhere.yaml")
    assert call(capsys, "policy", "init", "link.yaml").code == 2
    assert not (tmp_path / "nowhere.yaml").exists()


def test_a_folder_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "policy", "init", "no/where.yaml")
    assert done.code == 2
    assert "no/where.yaml cannot be written: No such file or directory." in done.err


def test_the_starter_can_be_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    done = call(capsys, "policy", "init", "-")
    assert (done.code, done.out) == (0, STARTER)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "arguments", [["policy", "schema"], ["policy", "show"], ["explain", "--list"]]
)
def test_output_that_is_lost_is_no_success(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None: ...

        def isatty(self) -> bool:
            return False

        def fileno(self) -> int:
            raise ValueError

    monkeypatch.setattr(sys, "stdout", Full())
    done = call(capsys, *arguments)
    assert done.code == 5
    assert "The output could not be written: No space left on device." in done.err


def test_help_loads_nothing_heavy() -> None:
    # What one of them loads would be loaded for all that follow, so that one process shows each.
    program = (
        "import json, sys\nfrom precheck_gate.__main__ import run_main\n"
        "for arguments in json.loads(sys.argv[1]):\n"
        "    code = run_main(['policy', *arguments, '--help'])\n"
        "    heavy = [name for name in ('yaml', 'jsonschema', 'requests') if name in sys.modules]\n"
        "    if code or heavy:\n"
        "        sys.exit(f'{arguments}: {code} {heavy}')\n"
    )
    calls = json.dumps([[], *([name] for name in SUBCOMMANDS)])
    called = [sys.executable, "-c", program, calls]
    done = subprocess.run(called, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: ") == 1 + len(SUBCOMMANDS)
