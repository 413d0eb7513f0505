"""The command `simulate`: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import importlib
import shlex
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import requests
from click.testing import CliRunner

from precheck_gate.cli.commands.simulate import DEFAULT_PORT, simulate
from precheck_gate.errors import Interrupted, UsageError
from precheck_gate.runtime.process import Runtime
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ID = "140b5236-88ad-43c8-811c-1268453jb101"


def run(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *arguments: str,
    during: Callable[[dict[str, str]], None] = lambda exports: None,
) -> tuple[str, str]:
    """Run the command until its first nap, in which ``during`` happens; return its output."""
    printed = ["", ""]

    def nap(_: float) -> None:
        printed[:] = capfd.readouterr()
        during(exports_of(printed[0]))
        raise Interrupted(signal.SIGTERM)

    module = importlib.import_module("precheck_gate.cli.commands.simulate")
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=nap))
    with pytest.raises(Interrupted):
        simulate.main(list(arguments), standalone_mode=False, obj=Runtime())
    return printed[0], printed[1] + capfd.readouterr().err


def exports_of(printed: str) -> dict[str, str]:
    """Read the output as a shell would."""
    words = shlex.split(printed, comments=True)
    assert words[0::2] == ["export"] * (len(words) // 2)
    return dict(word.split("=", 1) for word in words[1::2])


def test_what_it_prints_can_be_used(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def ask(exports: dict[str, str]) -> None:
        url = (
            f"{exports['PRECHECK_GATE_ENDPOINT']}/v3/{exports['PRECHECK_GATE_PROJECT_ID']}"
            "/jobs/batch-precheck-result"
        )
        with requests.Session() as session:
            session.trust_env = False
            headers = {"X-Auth-Token": exports["PRECHECK_GATE_TOKEN"]}
            answer = session.post(url, json={"jobs": [ID]}, headers=headers, timeout=5)
        assert answer.status_code == 200

    out, err = run(monkeypatch, capfd, "--port", "0", during=ask)
    assert f"# task {ID}  complete after 4 s  orders" in out
    (line,) = err.splitlines()
    assert line.endswith(f"/jobs/batch-precheck-result ({ID})  200")
    assert "rehearsal" not in err


def test_the_page_shows_what_it_prints(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out, _ = run(monkeypatch, capfd, "--port", "0")
    port = exports_of(out)["PRECHECK_GATE_ENDPOINT"].rpartition(":")[2]
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    shown = page.split("```text\n")[1].split("```")[0].splitlines()
    printed = out.replace(f":{port}", f":{DEFAULT_PORT}").splitlines()
    assert printed[0].startswith(shown[0].removesuffix("…"))
    assert printed[1:] == shown[1:]


def test_quiet_logs_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def ask(exports: dict[str, str]) -> None:
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(exports["PRECHECK_GATE_ENDPOINT"], timeout=5).status_code == 404

    _, err = run(monkeypatch, capfd, "--port", "0", "--quiet", during=ask)
    assert err == ""


def test_options_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        'version: 1\ntoken: "it\'s"\nproject_id: p\ndescription: "a\\nb\\e[1m"\n'
        f"tasks: [{{id: {ID}, items: []}}]"
    )
    monkeypatch.setenv("PRECHECK_GATE_SIMULATE_SCENARIO", str(file))
    monkeypatch.setenv("PRECHECK_GATE_SIMULATE_PORT", "0")
    monkeypatch.setenv("PRECHECK_GATE_SIMULATE_HOST", "localhost")
    out, err = run(monkeypatch, capfd)
    exports = exports_of(out)
    assert exports["PRECHECK_GATE_TOKEN"] == "it's"
    assert exports["PRECHECK_GATE_PROJECT_ID"] == "p"
    assert "\x1b" not in out
    assert err == ""


def test_a_host_beyond_loopback_is_warned_about(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _, err = run(monkeypatch, capfd, "--port", "0", "--host", "0.0.0.0")
    assert err.startswith("warning: 0.0.0.0 is not a loopback address")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--scenario", "nowhere.yaml"], "neither a file nor built in"),
     (["--port", "0", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1")],
)  # fmt: skip
def test_what_cannot_be_used_is_a_usage_error(arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        simulate.main(arguments, standalone_mode=False, obj=Runtime())


def test_a_bad_port_is_clicks_own_error() -> None:
    result = CliRunner().invoke(simulate, ["--port", "70000"], obj=Runtime())
    assert result.exit_code == 2
    assert "70000" in result.output


def test_every_option_has_a_variable_and_stands_on_the_page() -> None:
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    for option in simulate.params:
        envvar = f"PRECHECK_GATE_SIMULATE_{option.opts[0][2:].upper()}"
        assert getattr(option, "envvar", None) == envvar
        assert f"`{envvar}`" in page
        assert option.opts[0] in page
    assert f":{DEFAULT_PORT}" in page


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(signum: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "precheck_gate", "simulate", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        while "PRECHECK_GATE_TOKEN" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signum)
        try:
            _, err = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 128 + signum
    assert err == ""
