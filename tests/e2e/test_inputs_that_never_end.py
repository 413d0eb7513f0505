"""Files of users that give nothing, never end, or are too large: refused in time, ended by signals.

Whatever a command reads may be a named pipe, a device or a process substitution.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from precheck_gate.__main__ import run_main
from tests.support.outcome import PATIENCE, PROJECT
from tests.support.paths import ROOT

ANSWERS = ROOT / "precheck_gate" / "simulator" / "answers"
ANSWER = str(ANSWERS / "mysql.json")
ID = "140b5236-88ad-43c8-811c-1268453jb101"
SERVICE = ["--endpoint", "http://127.0.0.1:9", "--project-id", PROJECT]
INPUT = "INPUT"  # stands for the path in question

COMMANDS = {
    "a policy": ["evaluate", ANSWER, "--policy", INPUT],
    "a policy beside reports": ["evaluate", ANSWER, "--policy", INPUT, "--junit", "junit.xml"],
    "an extended policy": ["evaluate", ANSWER, "--policy", "extending.yaml", "--allow-outside"],
    "a baseline": ["evaluate", ANSWER, "--baseline", INPUT],
    "an answer": ["evaluate", INPUT],
    "an index": ["evaluate", "saved"],
    "a report": ["report", INPUT, "--to", "junit=junit.xml"],
    "an old report": ["diff", INPUT, INPUT],
    "a policy to validate": ["policy", "validate", INPUT],
    "a policy to lint": ["policy", "lint", INPUT],
    "a policy to show": ["policy", "show", INPUT],
    "test cases": ["policy", "test", INPUT],
    "a scenario": ["simulate", "--scenario", INPUT],
    "a token": ["run", ID, *SERVICE, "--token-file", INPUT],
    "a policy of a live run": ["run", ID, *SERVICE, "--policy", INPUT],
    "a credentials file": ["run", ID, *SERVICE, "--profile-name", "basic"],
    "an ID token": [
        *("run", ID, *SERVICE, "--iam-endpoint", "http://127.0.0.1:9"),
        *("--idp-id", "ci", "--id-token-file", INPUT),
    ],
    "a token to diagnose": ["doctor", *SERVICE, "--token-file", INPUT],
}


@pytest.fixture(autouse=True)
def _alone(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRECHECK_GATE_TOKEN")


def line_of(what: str, path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a command that reads ``path``, put where the command looks for it."""
    if what == "an extended policy":
        Path("extending.yaml").write_text(f"version: 1\nextends: ./{path}\n", encoding="utf-8")
    if what == "an index":
        Path("saved").mkdir()
        (Path("saved") / "run.jsonl").symlink_to(Path(path).resolve())
    if what == "a credentials file":
        monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", path)
    elif "token" not in what:
        monkeypatch.setenv("PRECHECK_GATE_TOKEN", "x" * 40)
    return [path if word == INPUT else word for word in COMMANDS[what]]


def wait_for_its_reader(pipe: str) -> int:
    """Return the writing end of a pipe as soon as somebody reads it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    raise AssertionError(f"nobody reads {pipe}")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_for_an_input_at_once(
    signum: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo("pipe")
    argv = line_of("a policy", "pipe", monkeypatch)
    with subprocess.Popen([sys.executable, "-m", "precheck_gate", *argv]) as process:
        try:
            writer = wait_for_its_reader("pipe")
            process.send_signal(signum)
            assert process.wait(timeout=PATIENCE) == 128 + signum
            os.close(writer)
        finally:
            process.kill()


@pytest.mark.parametrize("what", COMMANDS)
def test_a_signal_ends_the_wait_for_any_input(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo("pipe")
    pipe = str(Path("pipe").resolve())
    writers: list[int] = []

    def interrupt() -> None:
        writers.append(wait_for_its_reader(pipe))
        os.kill(os.getpid(), signal.SIGTERM)

    waiting = threading.Thread(target=interrupt, daemon=True)
    waiting.start()
    assert run_main(line_of(what, "pipe", monkeypatch)) == 128 + signal.SIGTERM
    waiting.join()
    os.close(writers[0])


@pytest.mark.parametrize("what", COMMANDS)
def test_an_input_without_a_writer_is_refused_in_time(
    what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("precheck_gate.runtime.reading.READ_SECONDS", 0.05)
    os.mkfifo("pipe")
    assert run_main(line_of(what, "pipe", monkeypatch)) == 2
    out, err = capsys.readouterr()
    assert "it did not end within" in out + err


def test_an_input_without_a_writer_does_not_outlast_the_timeout_of_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo("pipe")
    argv = line_of("a policy of a live run", "pipe", monkeypatch)
    assert run_main([*argv, "--timeout", "1s"]) == 2
    assert "The policy pipe cannot be read: it did not end within 1 s." in capsys.readouterr().err


def test_a_writer_that_stops_writing_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("precheck_gate.runtime.reading.READ_SECONDS", 0.05)
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open("pipe", os.O_WRONLY)
    os.write(writer, b"version: 1\n")
    assert run_main(["evaluate", ANSWER, "--policy", "pipe"]) == 2
    assert "The policy pipe cannot be read: it did not end" in capsys.readouterr().err
    os.close(reader)
    os.close(writer)


SMALL = (
    "precheck_gate.saved.reports",
    "precheck_gate.saved.run_file",
)


@pytest.mark.parametrize("what", COMMANDS)
@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero here")
def test_an_endless_input_is_refused_at_the_bound_of_its_size(
    what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in SMALL:
        monkeypatch.setattr(f"{module}.MAX_BYTES", 4096)
    Path("zero").symlink_to("/dev/zero")
    code = run_main([*line_of(what, "zero", monkeypatch)])
    out, err = capsys.readouterr()
    # An answer that is too large is an answer of the service that cannot be trusted.
    assert code == (4 if what == "an answer" else 2), err
    assert "it is larger than" in out + err


def test_a_token_file_is_refused_and_not_cut_where_it_is_too_large(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("token").write_text("x" * 40 + "\n" * (64 * 1024) + "y", encoding="utf-8")
    assert run_main(line_of("a token", "token", monkeypatch)) == 2
    assert "The token file token cannot be read: it is larger than 64 KiB." in (
        capsys.readouterr().err
    )


def in_bash(script: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a script in which ``gate`` is the program."""
    define = f'gate() {{ "{sys.executable}" -m precheck_gate "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", define + script], input=stdin, capture_output=True, timeout=60
    )


@pytest.mark.parametrize(
    "script",
    [
        "gate evaluate ANSWER --policy <(cat policy.yaml)",
        "gate evaluate ANSWER --policy <(cat policy.yaml) --junit junit.xml",
        "gate evaluate ANSWER --policy <(sleep 0.3; cat policy.yaml)",
        "gate evaluate <(cat ANSWER) --policy policy.yaml",
        "gate policy validate <(cat policy.yaml)",
        "gate policy lint <(cat policy.yaml)",
        "gate evaluate ANSWER --policy /dev/stdin --junit junit.xml <policy.yaml",
        "cat policy.yaml | gate evaluate ANSWER --policy /dev/stdin --junit junit.xml",
        "cat policy.yaml | gate policy validate /dev/stdin",
        "mkfifo p; cat policy.yaml >p & gate evaluate ANSWER --policy p --junit j.xml",
    ],
)
def test_process_substitution_pipes_and_stdin_are_read_like_files(script: str) -> None:
    Path("policy.yaml").write_text("version: 1\nstatuses: {ALARM: warn}\n", encoding="utf-8")
    done = in_bash(script.replace("ANSWER", ANSWER))
    assert done.returncode == 0, done.stderr


def test_an_index_that_cannot_be_read_is_not_taken_for_none() -> None:
    saved = Path("saved")
    (saved / "run.jsonl").mkdir(parents=True)
    answer = saved / "0001.json"
    answer.write_bytes(Path(ANSWER).read_bytes())
    assert run_main(["evaluate", str(answer)]) == 2
