"""No command shows a credential that it finds around it, not even those that need none."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from precheck_gate.__main__ import run_main
from precheck_gate.runtime.console import Console
from precheck_gate.safetext import secrets
from precheck_gate.safetext.secrets import Secret
from tests.support.harness import TASK, body, entry, item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "s3cr3t-MARK-of-every-command"
VARIABLES = (
    *("PRECHECK_GATE_TOKEN", "HW_AUTH_TOKEN", "OS_TOKEN", "OS_PASSWORD", "HW_USER_PASSWORD"),
    *("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
)
POLICY = "version: 1\nrules: [{match: {item: a}, effect: warn, reason: r}]\n"
CASE = """
version: 1
cases:
  - name: passes
    policy: {version: 1}
    items: {srcDbConnection: PASSED}
    expect: {verdict: passed}
"""

COMMANDS = [
    ["--help"],
    ["--version"],
    ["run"],
    ["run", "--help"],
    ["run", "nonsense"],
    ["evaluate", "answer.json", "--report", "json=-", "-v"],
    ["evaluate", "nowhere.json"],
    ["report", "report.json", "--to", "html=report.html", "--to", "markdown=report.md"],
    ["report", "answer.json", "--to", "junit=x.xml"],
    ["diff", "report.json", "report.json"],
    ["diff", "report.json", "nowhere.json"],
    ["policy", "init", "new.yaml"],
    ["policy", "validate", "policy.yaml"],
    ["policy", "validate", "answer.json"],
    ["policy", "show", "policy.yaml"],
    ["policy", "lint", "policy.yaml"],
    ["policy", "explain", "answer.json", "--policy", "policy.yaml"],
    ["policy", "explain", "--item", "a"],
    ["policy", "schema"],
    ["policy", "test", "case.test.yaml"],
    ["explain", "srcDbBinlogIsOff"],
    ["explain", "nonsense"],
    ["explain", "--list"],
    ["simulate", "--scenario", "nowhere.yaml"],
    ["doctor", "--endpoint", "http://127.0.0.1:9", "--project-id", "p"],
    ["nonsense"],
]
# The first call of each command is a process of its own.
IN_A_PROCESS = [*{command[0]: command for command in reversed(COMMANDS)}.values()]
HERE = [command for command in COMMANDS if command not in IN_A_PROCESS]


def environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return kept | dict.fromkeys(VARIABLES, MARK)


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "precheck_gate", *arguments],
        cwd=folder,
        env=environment() | {"HOME": str(folder)},
        capture_output=True,
        check=False,
    )


def write(folder: Path) -> None:
    (folder / "answer.json").write_bytes(body(entry(TASK, items=[item("a", "ALARM")])))
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "case.test.yaml").write_text(CASE)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("report")
    write(folder)
    assert call(folder, "evaluate", "answer.json", "-q", "--report", "json=x.json").returncode == 0
    return (folder / "x.json").read_bytes()


def check_secrecy(folder: Path, told: bytes) -> None:
    for path in folder.iterdir():
        told += path.read_bytes() if path.is_file() else b""
    assert MARK.encode() not in told
    assert b"Traceback" not in told


@pytest.fixture
def folder(report: bytes, tmp_path: Path) -> Path:
    write(tmp_path)
    (tmp_path / "report.json").write_bytes(report)
    return tmp_path


@pytest.mark.parametrize("command", IN_A_PROCESS, ids=" ".join)
def test_no_command_shows_what_it_finds_around_it(command: list[str], folder: Path) -> None:
    done = call(folder, *command)
    assert done.stdout + done.stderr
    check_secrecy(folder, done.stdout + done.stderr)


@pytest.fixture
def surroundings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give this process the environment of `call`, and no net that hides what is let fall."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in (environment() | {"HOME": str(folder)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(secrets.Known, "hide", lambda _, text: text)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("surroundings")
@pytest.mark.parametrize("command", HERE, ids=" ".join)
def test_nor_does_it_when_called_otherwise(
    command: list[str], folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert os.environ["PRECHECK_GATE_TOKEN"] == MARK
    run_main(command)
    out, err = capfdbinary.readouterr()
    assert out + err
    check_secrecy(folder, out + err)


def test_what_is_printed_by_mistake_is_masked_all_the_same() -> None:
    secret = Secret("s3cr3t-MARK-printed-by-mistake")
    result, progress = io.StringIO(), io.StringIO()
    console = Console(result, progress)
    console.say(f"the token is {secret.reveal()}")
    console.print_result(f"the token is {secret.reveal()}")
    console.warn(secret.reveal())
    console.command(f"::add-mask::{secret.reveal()}")
    assert "MARK" not in result.getvalue() + progress.getvalue()
