"""Reports and output that cannot be written: the verdict is told, and no green without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, PROJECT, redirected

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.simulator.server import Simulator
    from tests.support.gate import Gate, Serve

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")

VERDICTS = {
    "passed": ("{item: network}", 5),
    "passed with warnings": ("{item: network, result: ALARM}", 5),
    "blocked": ("{item: network, result: FAILED}", 1),
}


def one_task(items: str = "{item: network}", more: str = "") -> str:
    return f"version: 1\ntasks: [{{id: {ID}, items: [{items}]{more}}}]\n"


@pytest.fixture
def service(serve: Serve) -> Simulator:
    return serve(one_task())


def a_folder(path: Path) -> str:
    path.mkdir()
    return str(path)


def below_a_file(path: Path) -> str:
    path.write_text("in the way")
    return str(path / "report")


def too_long(path: Path) -> str:
    return str(path / ("x" * 300))


def a_full_disk(path: Path) -> str:
    if not FULL.exists():
        pytest.skip("there is no /dev/full here")
    return str(FULL)


def a_loop(path: Path) -> str:
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)
    return str(path)


@pytest.mark.parametrize(
    "make",
    [a_folder, below_a_file, too_long, a_full_disk, a_loop],
)
@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("kind", ["junit", "json"])
def test_a_report_that_cannot_be_written_costs_neither_the_verdict_nor_the_other_report(
    gate: Gate,
    serve: Serve,
    tmp_path: Path,
    make: Callable[[Path], str],
    verdict: str,
    kind: str,
) -> None:
    items, code = VERDICTS[verdict]
    path = make(tmp_path / "bad")
    # After the two that can be written, which `run` adds and checks.
    outcome = gate.run(serve(one_task(items)).url, "--report", f"{kind}={path}")
    assert outcome.code == code
    assert f"the {kind} report {path} could not be written: " in outcome.err
    assert verdict.upper() in outcome.out
    assert list(tmp_path.glob(".*.tmp")) == []


def test_a_report_that_cannot_be_written_tells_what_to_do(
    gate: Gate, service: Simulator, tmp_path: Path
) -> None:
    outcome = gate.run(service.url, "--report", f"json={below_a_file(tmp_path / 'bad')}")
    assert outcome.code == 5
    outcome.says("Check the path")


def test_a_report_that_cannot_be_written_keeps_a_usage_error(gate: Gate, tmp_path: Path) -> None:
    path = below_a_file(tmp_path / "bad")
    outcome = gate.judge("run", *gate.outputs, "--report", f"json={path}")
    assert outcome.code == 2
    outcome.says("No task is named", f"the json report {path} could not be written")


@pytest.mark.parametrize(
    "other",
    [
        "junit.xml",
        "./../out/junit.xml",
        "link/junit.xml",
    ],
)
def test_two_reports_for_one_file_are_refused(
    gate: Gate, service: Simulator, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.chdir(gate.folder)
    (gate.folder / "link").symlink_to(gate.folder)
    argv = ["run", ID, "--endpoint", service.url, "--project-id", PROJECT]
    outcome = gate.main(
        *argv, "--junit", "junit.xml", "--report", f"json={other}", with_reports=False
    )
    assert outcome.code == 2
    outcome.says("Two reports would go to", "Give each report a path of its own")
    assert service.requests == ()


# --- saved answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("make", [below_a_file, a_full_disk, a_loop])
def test_answers_that_cannot_be_saved_are_no_green(
    gate: Gate, serve: Serve, tmp_path: Path, make: Callable[[Path], str], verdict: str
) -> None:
    items, code = VERDICTS[verdict]
    folder = make(tmp_path / "bad")
    outcome = gate.run(serve(one_task(items)).url, "--save-answers", folder)
    assert outcome.code == code
    outcome.says(f"the answers could not be saved to {folder}: ", verdict.upper())


def test_a_disk_that_fills_up_while_answers_are_saved(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    (folder / "run.jsonl").symlink_to(a_full_disk(tmp_path))
    outcome = gate.run(serve(one_task()).url, "--save-answers", str(folder))
    assert outcome.code == 5
    outcome.says(f"the answers could not be saved to {folder}: No space left on device")


# --- standard output ----------------------------------------------------------------------------


def test_stdout_holds_the_report_and_nothing_else(
    gate: Gate, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve(one_task("{item: network, result: FAILED, failed_reason: 'a::b'}"))
    argv = ["run", ID, "--endpoint", service.url, "--project-id", PROJECT, "--verbose"]
    outcome = gate.main(*argv, "--report", "json=-", with_reports=False)
    assert outcome.code == 1
    assert json.loads(outcome.out)["verdict"] == "blocked"
    assert "BLOCKED" in outcome.err
    assert "exit     1" in outcome.err


def test_stdout_holds_the_report_and_nothing_else_after_a_usage_error(gate: Gate) -> None:
    outcome = gate.main("run", "--report", "json=-", with_reports=False)
    assert outcome.code == 2
    assert json.loads(outcome.out)["exit_code"] == 2
    assert "No task is named" in outcome.err


@pytest.mark.parametrize("verdict", VERDICTS)
@needs_full
def test_a_full_disk_below_stdout(gate: Gate, serve_now: Serve, verdict: str) -> None:
    items, code = VERDICTS[verdict]
    argv = gate.arguments(serve_now(one_task(items)).url)
    outcome = redirected(gate.folder, argv, ">/dev/full")
    assert outcome.code == code
    outcome.says("the result could not be printed: No space left on device")
    assert outcome.verdicts() == {ID: verdict.replace(" ", "_")}


@needs_full
def test_a_full_disk_below_the_report_on_stdout(gate: Gate, serve_now: Serve) -> None:
    argv = [*gate.arguments(serve_now(one_task()).url), "--report", "junit=-"]
    outcome = redirected(gate.folder, argv, ">/dev/full")
    assert outcome.code == 5
    outcome.says("the junit report - could not be written: No space left on device", "PASSED")


@pytest.mark.parametrize("how", [">&-", "2>&-", ">&- 2>&- <&-", "2>/dev/full"])
def test_a_closed_or_full_stream_keeps_the_code(gate: Gate, serve_now: Serve, how: str) -> None:
    argv = gate.arguments(serve_now(one_task()).url)
    assert redirected(gate.folder, argv, how).code == 0
    assert redirected(gate.folder, ["run", *gate.outputs], how).code == 2


@needs_full
def test_a_click_error_that_cannot_be_printed_keeps_its_code(gate: Gate) -> None:
    assert redirected(gate.folder, ["nonsense"], "2>/dev/full").code == 2


def test_a_closed_stdin_names_no_task(gate: Gate) -> None:
    outcome = redirected(gate.folder, ["run", "--tasks-from", "-", *gate.outputs], "<&-")
    assert outcome.code == 2
    outcome.says("stdin names no task")


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ("| head -1", "passed"),
        ("| head -1", "blocked"),
        ("| true", "blocked"),
        ("2>&1 | head -1", "passed"),
        ("2>&1 | true", "blocked"),
    ],
)
def test_a_reader_that_goes_away_keeps_the_code(
    gate: Gate, serve_now: Serve, verdict: str, how: str
) -> None:
    items, _ = VERDICTS[verdict]
    argv = gate.arguments(serve_now(one_task(items)).url, "--verbose")
    outcome = redirected(gate.folder, argv, how)
    assert outcome.code == (0 if verdict == "passed" else 1)
    assert outcome.verdicts() == {ID: verdict}


def test_a_reader_of_the_report_that_goes_away(gate: Gate, serve_now: Serve) -> None:
    argv = gate.arguments(serve_now(one_task()).url, "--report", "json=-")
    outcome = redirected(gate.folder, argv, "| true")
    assert outcome.code == 5
    outcome.says("the json report - could not be written: Broken pipe")


@pytest.mark.parametrize("what", ["--help", "--version", "run --help"])
@pytest.mark.parametrize("how", ["| true", ">/dev/full"])
def test_help_that_cannot_be_printed_is_neither_a_verdict_nor_a_bug(
    gate: Gate, what: str, how: str
) -> None:
    outcome = redirected(gate.folder, what.split(), how)
    # A short text may be in the pipe before its reader goes.
    assert outcome.code in ((5,) if "full" in how else (0, 5))
