"""The token, and passwords in URLs, are sent where they belong and stand nowhere else.

Every run in this folder is searched for the token (`tests.support.outcome.check_secrecy`); here
are the ways by which it would be most likely to get out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, MARK, TOKEN, check_secrecy
from tests.support.servers import refusing_port, serve_body

if TYPE_CHECKING:
    from precheck_gate.simulator.server import Simulator
    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome

# Faults at the end of which something might quote the request, its headers or its URL.
FAULTS = {
    "none": "",
    "401": "{status: 401}",
    "400": "{status: 400}",
    "500": "{status: 500}",
    "HTML": "{kind: html}",
    "garbage": "{kind: garbage}",
    "reset": "{kind: reset}",
    "truncated": "{kind: truncate}",
    "redirect": f'{{kind: redirect, location: "https://u:{MARK}@elsewhere.invalid/{MARK}?{MARK}"}}',
    "wrong shape": "{kind: wrong_shape}",
}


def scenario(fault: str) -> str:
    faults = f"faults: [{fault}]" if fault else ""
    return f"version: 1\ntoken: {TOKEN}\ntasks: [{{id: {ID}, answer: mysql}}]\n{faults}\n"


def check_log(service: Simulator) -> None:
    assert service.requests
    assert all(record.credential == "token" for record in service.requests)
    assert MARK not in repr(service.requests)
    assert TOKEN not in repr(service.scenario)


@pytest.mark.parametrize("by_file", [False, True], ids=["environment", "file"])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_token_stands_nowhere_whatever_happens(
    gate: Gate,
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    by_file: bool,
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    options = ["--verbose", "--grace", "3s", "--save-answers", str(gate.folder / "answers")]
    if by_file:
        monkeypatch.delenv("PRECHECK_GATE_TOKEN")
        options += ["--token-file", str(token)]
    service = serve(scenario(FAULTS[fault]))
    outcome = gate.run(service.url, *options)
    assert outcome.code == (0 if fault == "none" else 4)
    # The run has been searched, with the reports and the saved answers; it said whence it came.
    outcome.says(f"token from {token if by_file else 'PRECHECK_GATE_TOKEN'}")
    assert (gate.folder / "answers").is_dir()
    check_log(service)


def test_a_bug_in_the_middle_of_a_request_does_not_quote_it(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"X-Auth-Token: {TOKEN}")

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", fail)
    with pytest.raises(AssertionError, match="a bug in precheck-gate"):
        gate.run(serve("mysql").url)
    out, err = capsys.readouterr()
    assert MARK not in out + err
    assert MARK not in (gate.folder / "report.json").read_text()


@pytest.mark.parametrize(
    "endpoint",
    [
        f"https://user:{MARK}@127.0.0.1",
        f"https://{MARK}@127.0.0.1",
        f"ftp://user:{MARK}@127.0.0.1",
        f"//user:{MARK}@127.0.0.1",
        f"https://user:{MARK}@[127.0.0.1",
        f"https://127.0.0.1/?token={MARK}",
        f"https://127.0.0.1/#{MARK}",
        f"user:{MARK}@127.0.0.1",
        f"https:/user:{MARK}@127.0.0.1",
        f"https:user:{MARK}@127.0.0.1",
    ],
)
def test_a_password_in_the_endpoint_is_refused_and_not_repeated(gate: Gate, endpoint: str) -> None:
    outcome = gate.run(endpoint)
    assert outcome.code == 2
    outcome.says("The endpoint", "next: ")


def test_a_password_in_the_proxys_url_is_not_repeated(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refusing_port() as port:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://user:{MARK}@127.0.0.1:{port}")
        outcome = gate.run("https://nonexistent.invalid", "--verbose", "--grace", "0s")
    assert outcome.code == 4
    outcome.says("The proxy on the way to nonexistent.invalid failed")


def test_a_proxy_that_refuses_its_password_does_not_get_it_printed(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy speaks HTTP, and answers CONNECT with an error."""
    with serve_body(b"no") as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("http://", f"http://user:{MARK}@"))
        outcome = gate.run("https://nonexistent.invalid", "--verbose", "--grace", "0s")
    assert outcome.code == 4
    outcome.says("The proxy on the way to nonexistent.invalid failed")


def test_netrc_is_not_asked(
    gate: Gate, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credentials are for others; requests would send them along unasked."""
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login user password {MARK}\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    service = serve(scenario(""))
    assert gate.run(service.url).code == 0
    check_log(service)
    assert all("authorization" not in record.headers for record in service.requests)


# --- commands as processes: the arguments, and what the interpreter itself may print -------------


def arguments_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text() if Path("/proc").exists() else ""


def test_the_token_is_in_no_process_arguments(gate: Gate, serve_now: Serve) -> None:
    service = serve_now(scenario("{kind: hang}"))
    with gate.start(*gate.arguments(service.url, "--timeout", "1s")) as child:
        child.wait_for("token from")
        assert MARK not in arguments_of(child.pid)
        child.finish()
    check_log(service)


@pytest.mark.parametrize(
    "argv",
    [
        ["run", ID, "--token", TOKEN],
        ["run", ID, f"--token={TOKEN}"],
        ["run", "--help"],
        ["simulate", "--port", "0", "--host", "192.0.2.1"],
        ["evaluate", "none.json"],
        ["demo", "--fail"],
        [],
    ],
    ids=lambda argv: " ".join(argv[:3]).replace(TOKEN, "..."),
)
def test_no_command_prints_the_token_from_its_environment(gate: Gate, argv: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-m", "precheck_gate", *argv],
        cwd=gate.folder,
        env={**os.environ, "HW_AUTH_TOKEN": TOKEN, "OS_TOKEN": TOKEN},
        capture_output=True,
        encoding="utf-8",
    )
    assert MARK not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)


def test_the_simulator_logs_no_token_and_prints_its_own_only(
    gate: Gate, tmp_path: Path, serve: Serve
) -> None:
    """The token that a scenario names is printed once, as the line that a shell reads."""
    file = tmp_path / "scenario.yaml"
    file.write_text(scenario("").replace(TOKEN, "rehearsed-only"))
    with gate.start("simulate", "--scenario", str(file), "--port", "0") as child:
        url = child.wait_for("PRECHECK_GATE_ENDPOINT").strip().partition("=")[2]
        child.wait_for("PRECHECK_GATE_TOKEN=rehearsed-only")
        outcome: Outcome = gate.run_now(url)
        child.wait_for("batch-precheck-result")
        child.send(15)
        said = child.finish(with_reports=False)
    assert outcome.code == 4
    assert said.err.count("rehearsed-only") == 0
    check_secrecy(said)
