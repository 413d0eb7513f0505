"""Where reports go: files that are whole or not there, and standard output."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from lxml import etree

from precheck_gate.reports.base import copy_spool, open_spool
from precheck_gate.reports.sinks import FileSink, StreamSink
from precheck_gate.runtime.process import Interrupts
from tests.support.evaluating import (
    BLOCKED,
    DDS,
    MYSQL,
    Evaluated,
    Stream,
    evaluate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = "an earlier report"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An earlier report, alone in its folder."""
    folder = tmp_path / "reports"
    folder.mkdir()
    path = folder / "report.txt"
    path.write_text(OLD, encoding="utf-8")
    return path


def alone(path: Path) -> bool:
    """Return whether nothing was left beside a file."""
    return [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_reader_never_sees_half_a_file(target: Path) -> None:
    sink = FileSink(target)
    stream = sink.open()
    for _ in range(100):
        stream.write("new" * 1000)
        stream.flush()
        assert target.read_text(encoding="utf-8") == OLD
    sink.commit()
    assert target.read_text(encoding="utf-8") == "new" * 100_000
    assert alone(target)


def test_a_reader_that_has_the_old_file_open_keeps_it(target: Path) -> None:
    sink = FileSink(target)
    with target.open(encoding="utf-8") as reader:
        sink.open().write("new")
        sink.commit()
        assert reader.read() == OLD


def test_what_is_discarded_leaves_no_trace(target: Path) -> None:
    sink = FileSink(target)
    sink.open().write("new")
    sink.discard()
    sink.discard()
    assert target.read_text(encoding="utf-8") == OLD
    assert alone(target)


def test_a_report_that_was_never_opened_cannot_appear(target: Path) -> None:
    sink = FileSink(target)
    sink.discard()
    with pytest.raises(OSError, match="not opened"):
        sink.commit()


def test_a_process_killed_in_the_middle_leaves_the_earlier_report(target: Path) -> None:
    program = (
        "import os, pathlib, sys; from precheck_gate.reports.sinks import FileSink\n"
        "stream = FileSink(pathlib.Path(sys.argv[1])).open()\n"
        "stream.write('half'); stream.flush(); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(target)], timeout=60)
    assert done.returncode == 9
    assert target.read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize("method", ["add_task", "finish"])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), ValueError("bug")])
def test_an_earlier_report_survives_a_failure(
    tmp_path: Path, method: str, fault: Exception
) -> None:
    earlier = tmp_path / "junit.xml"
    earlier.write_text(OLD, encoding="utf-8")
    name = f"precheck_gate.reports.junit.JUnitReporter.{method}"
    with mock.patch(name, side_effect=fault):
        done = evaluate(tmp_path, [MYSQL])
    assert done.code == (5 if isinstance(fault, OSError) else 70)
    assert earlier.read_text(encoding="utf-8") == OLD
    assert not list(tmp_path.glob(".*"))
    # The other report is there all the same, and so is the verdict.
    assert done.report["verdict"] == "passed"
    assert b"PASSED" in done.out
    assert b"the junit report junit.xml could not be written" in done.err


def test_a_bound_on_the_size_of_files_is_told_as_a_failure(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_bytes(MYSQL)
    (tmp_path / "junit.xml").write_text(OLD, encoding="utf-8")
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from precheck_gate.__main__ import main; main()"
    )
    command = [sys.executable, "-c", program, "evaluate", "answer.json"]
    reports = ["--junit", "junit.xml", "--report", "json=new/report.json"]
    done = subprocess.run([*command, *reports], cwd=tmp_path, timeout=60, capture_output=True)
    assert done.returncode == 5, done.stderr
    assert b"junit.xml could not be written: File too large" in done.stderr
    assert b"report.json could not be written: File too large" in done.stderr
    assert (tmp_path / "junit.xml").read_text(encoding="utf-8") == OLD
    assert not list((tmp_path / "new").iterdir())


FULL = Path("/dev/full")
full_disk = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


@full_disk
@pytest.mark.parametrize("name", ["json", "junit"])
@pytest.mark.parametrize(("body", "code"), [(MYSQL, 5), (DDS, 5), (BLOCKED, 1)])
def test_a_full_disk_costs_the_green_and_no_other_verdict(
    tmp_path: Path, name: str, body: bytes, code: int
) -> None:
    done = evaluate(tmp_path, [body], reports=["--report", f"{name}={FULL}"])
    assert done.code == code
    assert f"the {name} report /dev/full could not be written: No space left".encode() in done.err
    assert f"exit     {code}".encode() in done.out
    assert b"\nreports " not in done.out


@full_disk
def test_a_full_disk_costs_an_advisory_green_too(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [BLOCKED], "--advisory", reports=["--junit", str(FULL)])
    assert done.code == 5


@full_disk
def test_a_full_disk_costs_a_warning_s_own_code_too(tmp_path: Path) -> None:
    options = ("--warn-exit-code", "10")
    assert evaluate(tmp_path, [DDS], *options, reports=["--junit", str(FULL)]).code == 5


@full_disk
@pytest.mark.parametrize(("body", "code"), [(MYSQL, 5), (BLOCKED, 1)])
def test_a_verdict_that_could_not_be_printed_is_no_green(
    tmp_path: Path, body: bytes, code: int
) -> None:
    (tmp_path / "answer.json").write_bytes(body)
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "precheck_gate", "evaluate", "answer.json"],
            cwd=tmp_path,
            timeout=60,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("body", "code"), [(MYSQL, 5), (BLOCKED, 1)])
def test_a_folder_in_place_of_a_file(tmp_path: Path, body: bytes, code: int) -> None:
    (tmp_path / "junit.xml").mkdir()
    done = evaluate(tmp_path, [body])
    assert done.code == code
    assert b"junit.xml could not be written: is a directory" in done.err
    assert done.report["tasks"]


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = evaluate(tmp_path, [MYSQL], reports=["--junit", "file/junit.xml"])
    assert done.code == 5
    assert b"file/junit.xml could not be written" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = evaluate(tmp_path, [MYSQL], reports=["--junit", "locked/junit.xml"])
    assert done.code == 5
    assert b"Permission denied" in done.err


def test_a_path_that_nobody_can_write(tmp_path: Path) -> None:
    for path in ("/proc/nothing/junit.xml", "/dev/null/junit.xml", "x" * 300):
        done = evaluate(tmp_path, [MYSQL], reports=["--junit", path])
        assert done.code == 5, path
        assert path.encode() in done.err


def test_a_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    done = evaluate(tmp_path, [MYSQL], reports=["--junit", "loop"])
    assert done.code == 5


def test_a_tilde_that_no_shell_expanded_is_told(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [MYSQL], reports=["--junit", "~/junit.xml"])
    assert done.code == 0
    assert b"warning: ~/junit.xml means a folder named ~" in done.err
    assert (tmp_path / "~" / "junit.xml").is_file()


def test_missing_folders_are_made(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [MYSQL], reports=["--junit", "a/b c/d/junit.xml"])
    assert done.code == 0
    assert etree.parse(tmp_path / "a" / "b c" / "d" / "junit.xml").getroot().get("tests") == "40"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_mode_of_a_new_file_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        done = evaluate(tmp_path, [MYSQL])
    finally:
        os.umask(before)
    for path in (done.junit, done.folder / "report.json"):
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_mode_of_a_file_that_is_replaced_stays(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").touch(mode=0o600)
    done = evaluate(tmp_path, [MYSQL])
    assert stat.S_IMODE(done.junit.stat().st_mode) == 0o600


def test_a_link_is_followed(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (tmp_path / "junit.xml").symlink_to(there / "real.xml")
    (tmp_path / "report.json").symlink_to("there")
    done = evaluate(tmp_path, [MYSQL], reports=["--junit", "junit.xml"])
    assert done.code == 0
    assert (tmp_path / "junit.xml").is_symlink()
    assert etree.parse(there / "real.xml").getroot().get("tests") == "40"
    assert [path.name for path in there.iterdir()] == ["real.xml"]


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        done = evaluate(tmp_path, [MYSQL], reports=["--junit", "pipe"])
        content, _ = reader.communicate(timeout=60)
    assert done.code == 0
    assert etree.fromstring(content).get("tests") == "40"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize(("body", "code"), [(MYSQL, 5), (BLOCKED, 1)])
def test_a_pipe_that_nobody_reads_costs_the_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, code: int
) -> None:
    monkeypatch.setattr("precheck_gate.reports.sinks.READER_SECONDS", 0)
    os.mkfifo(tmp_path / "pipe")
    done = evaluate(tmp_path, [body], reports=["--junit", "pipe", "--report", "json=report.json"])
    assert done.code == code
    assert b"the junit report pipe could not be written: nobody reads it" in done.err
    assert done.report["tasks"]


def big(sink: FileSink) -> None:
    """Write more than any pipe holds."""
    sink.open().write("x" * 2_000_000)
    sink.commit()


@pytest.fixture
def stalled(tmp_path: Path) -> Iterator[Path]:
    """A pipe whose reader reads nothing."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield path
    os.close(reader)


def test_a_reader_that_stops_reading_is_not_waited_for_without_end(
    stalled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("precheck_gate.reports.sinks.STALLED_SECONDS", 0)
    sink = FileSink(stalled)
    with pytest.raises(OSError, match="its reader has stopped reading"):
        big(sink)
    sink.discard()


def test_a_signal_shortens_the_wait_for_a_reader(
    stalled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("precheck_gate.reports.sinks.HURRIED_SECONDS", 0)
    interrupts = Interrupts()
    sink = FileSink(stalled, interrupts)
    stream = sink.open()
    interrupts.received = signal.SIGTERM
    with pytest.raises(OSError, match="stopped reading"):
        stream.write("x" * 2_000_000)
    sink.discard()


@pytest.mark.parametrize("name", ["json", "junit"])
def test_stdout_holds_the_report_alone_and_stderr_the_words(tmp_path: Path, name: str) -> None:
    for body, code in ((MYSQL, 0), (BLOCKED, 1)):
        done = evaluate(tmp_path, [body], reports=["--report", f"{name}=-"])
        assert done.code == code
        whole = evaluate(tmp_path, [body])
        assert done.out == (whole.junit.read_bytes() if name == "junit" else whole.json_bytes)
        assert f"exit     {code}".encode() in done.err
        assert b"reports  -" in done.err


def test_stdout_holds_a_report_of_errors_too(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [MYSQL], "--policy", "absent", reports=["--junit", "-"])
    assert done.code == 2
    assert etree.fromstring(done.out).get("errors") == "1"
    assert b"absent" in done.err


def test_a_report_to_a_file_and_another_to_stdout(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [MYSQL], reports=["--junit", "junit.xml", "--report", "json=-"])
    assert done.out.startswith(b"{")
    assert done.junit.is_file()


@pytest.mark.parametrize(
    "reports",
    [
        ("--junit", "same", "--report", "json=same"),
        ("--report", "junit=same", "--report", "json=same"),
        ("--junit", "same", "--report", "junit=same"),
        ("--junit", "-", "--report", "json=-"),
        ("--junit", "same", "--report", "json=./same"),
    ],
)
def test_two_reports_to_one_place_are_refused(tmp_path: Path, reports: tuple[str, ...]) -> None:
    done = evaluate(tmp_path, [MYSQL], reports=reports)
    assert done.code == 2
    assert b"Two reports would go to" in done.err
    assert not (tmp_path / "same").exists()


def test_the_spool_goes_from_memory_to_disk_and_back() -> None:
    out = Stream()
    text = "é\n" * 1_000_000
    with open_spool() as spool:
        spool.write(text)
        copy_spool(spool, out)
    assert out.content().decode("utf-8") == text


def test_a_stream_stays_open() -> None:
    out = Stream()
    sink = StreamSink(out)
    sink.open().write("a")
    sink.commit()
    sink.discard()
    assert not out.closed
    assert out.content() == b"a"


def test_every_outcome_writes_both_reports(outcome: Evaluated) -> None:
    assert etree.parse(outcome.junit).getroot().tag == "testsuites"
    assert outcome.report["format"] == "precheck-gate/report"
    assert not list(outcome.folder.glob(".*"))
    if outcome.report["verdict"] != "error" or outcome.report["tasks"]:
        assert b"report.json, junit.xml" in outcome.out
