"""Reports to an open descriptor, and onto files that cannot be replaced."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from precheck_gate.__main__ import run_main
from precheck_gate.reports.sinks import DescriptorSink, FileSink, OpenDescriptor, descriptor_at
from precheck_gate.runtime.process import Interrupts
from tests.support.evaluating import BLOCKED, MYSQL

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = "what was there before"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answer.json").write_bytes(MYSQL)
    (tmp_path / "blocked.json").write_bytes(BLOCKED)
    return tmp_path


def in_bash(script: str, *wrapper: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script in which ``gate`` judges an answer that passes."""
    define = f'gate() {{ "{sys.executable}" -m precheck_gate evaluate answer.json "$@"; }}\n'
    return subprocess.run(
        [*wrapper, "bash", "-o", "pipefail", "-c", define + script],
        capture_output=True,
        timeout=60,
    )


def is_junit(content: bytes) -> bool:
    return bool(etree.fromstring(content).get("tests") == "40")


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_a_report_to_the_descriptor_of_stdout_goes_there_alone(path: str, folder: Path) -> None:
    (folder / "link").symlink_to("/dev/stdout")
    done = in_bash(f"gate --junit {path} | cat")
    assert done.returncode == 0, done.stderr
    assert is_junit(done.stdout)
    assert b"PASSED" in done.stderr


@pytest.mark.parametrize(
    ("script", "file"),
    [
        ("gate --junit /dev/stdout >>job.log", "job.log"),
        ("gate --junit /proc/self/fd/1 >>job.log 2>>other.log", "job.log"),
        ("gate --junit /dev/stderr >/dev/null 2>>job.log", "job.log"),
        ("gate --junit /dev/fd/3 3>>job.log", "job.log"),
        ("gate --junit /proc/self/fd/7 7>>job.log >/dev/null", "job.log"),
        ("exec 5>>job.log; (exec 5>&-; gate --junit /proc/$$/fd/5)", "job.log"),
    ],
)
def test_a_report_to_a_descriptor_never_replaces_the_file_behind_it(
    script: str, file: str, folder: Path
) -> None:
    log = folder / file
    log.write_text(f"{OLD}\n", encoding="utf-8")
    before = log.stat().st_ino
    done = in_bash(script)
    assert done.returncode == 0, done.stderr
    assert log.stat().st_ino == before
    content = log.read_bytes()
    assert content.startswith(f"{OLD}\n".encode())
    start, end = content.index(b"<?xml"), content.index(b"</testsuites>")
    assert is_junit(content[start:end] + b"</testsuites>")


@pytest.mark.parametrize(
    "script",
    [
        "gate --junit /dev/stderr 2>&1 >/dev/null | cat",
        "gate --junit /dev/fd/3 3>&1 >/dev/null 2>&1 | cat",
        "{ gate --junit /dev/fd/3 3>&1 >/dev/null 2>&1; } | { sleep 0.3; cat; }",
        """gate --junit >(cat >got) >/dev/null
        for i in $(seq 200); do grep -q '</tests' got && break; sleep 0.05; done
        cat got""",
    ],
)
def test_a_report_to_a_pipe_that_is_open_arrives_whole(script: str) -> None:
    done = in_bash(script)
    assert done.returncode == 0, done.stderr
    start, end = done.stdout.index(b"<?xml"), done.stdout.index(b"</testsuites>")
    assert is_junit(done.stdout[start:end] + b"</testsuites>")


@pytest.mark.parametrize("path", ["/dev/fd/9", "/proc/self/fd/9", "/proc/999999999/fd/1"])
def test_a_descriptor_that_is_not_open_costs_the_green(path: str) -> None:
    done = in_bash(f"gate --junit {path} --report json=report.json 9>&-")
    assert done.returncode == 5
    assert f"the junit report {path} could not be written: ".encode() in done.stderr


@pytest.mark.parametrize(
    "script", ["--junit - >&-", "--junit /dev/stdout >&-", "--junit /dev/stderr 2>&-"]
)
def test_a_report_to_a_standard_stream_that_was_closed_costs_the_green(script: str) -> None:
    assert in_bash(f"gate {script}").returncode == 5


def test_a_descriptor_that_the_program_opened_itself_is_not_written_to(folder: Path) -> None:
    with (folder / "own").open("w+", encoding="utf-8") as own:
        sink = DescriptorSink("/dev/fd/n", OpenDescriptor(own.fileno()), Interrupts())
        with pytest.raises(OSError, match="Bad file descriptor"):
            sink.open()


def test_stdout_and_its_descriptor_are_one_place(folder: Path) -> None:
    done = in_bash("gate --junit - --report json=/dev/stdout | cat")
    assert done.returncode == 2
    assert b"Two reports would go to stdout" in done.stderr
    done = in_bash("gate --junit /dev/fd/3 --report json=/proc/self/fd/3 3>file")
    assert done.returncode == 2
    assert (folder / "file").read_bytes() == b""


@pytest.fixture
def stalled() -> Iterator[int]:
    """The writing end of a pipe that blocks, and whose reader reads nothing."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


def test_a_reader_of_a_descriptor_that_stops_reading_is_not_waited_for_without_end(
    stalled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("precheck_gate.reports.sinks.STALLED_SECONDS", 0)
    sink = DescriptorSink("/dev/fd/n", OpenDescriptor(stalled), Interrupts())
    sink.open().write("x" * 2_000_000)
    with pytest.raises(OSError, match="stopped reading"):
        sink.commit()
    sink.discard()
    os.fstat(stalled)  # it is still open


@pytest.mark.parametrize("path", ["report", "-", "/dev/null", "/dev/fd", "/proc/self", "x" * 300])
def test_other_paths_name_no_descriptor(path: str) -> None:
    assert descriptor_at(path) is None


def busy(self: Path, target: Path) -> None:
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(target))


def test_a_file_that_cannot_be_replaced_is_written_in_place_and_said_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", busy)
    target = folder / "report"
    target.write_text(OLD * 100, encoding="utf-8")
    before = target.stat().st_ino
    sink = FileSink(target)
    sink.open().write("new")
    sink.commit()
    assert target.read_text(encoding="utf-8") == "new"
    assert target.stat().st_ino == before
    assert "in place" in sink.remark
    assert not list(folder.glob(".*.tmp"))


@pytest.mark.parametrize("command", ["evaluate", "report", "policy test"])
def test_every_command_says_that_it_wrote_in_place(
    command: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "test_cases.yaml").write_text(
        "version: 1\npolicy: builtin:default\ncases:\n"
        "  - {name: x, items: {a: PASSED}, expect: {verdict: passed}}\n",
        encoding="utf-8",
    )
    assert run_main(["evaluate", "answer.json", "--report", "json=report.json"]) == 0
    monkeypatch.setattr(Path, "replace", busy)
    (folder / "junit.xml").write_text(OLD, encoding="utf-8")
    arguments = {
        "evaluate": ["answer.json", "--junit", "junit.xml"],
        "report": ["report.json", "--to", "junit=junit.xml"],
        "policy test": ["test_cases.yaml", "--junit", "junit.xml"],
    }[command]
    assert run_main([*command.split(), *arguments]) == 0
    assert "report junit.xml: written in place" in capsys.readouterr().err
    assert etree.parse(folder / "junit.xml").getroot().tag == "testsuites"


def test_a_file_that_can_neither_be_replaced_nor_written_keeps_nothing_of_the_old_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: object) -> None:
        target.write("half")  # type: ignore[attr-defined]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(shutil, "copyfileobj", full)
    target = folder / "report"
    target.write_text(OLD, encoding="utf-8")
    sink = FileSink(target)
    sink.open().write("new")
    with pytest.raises(OSError, match="No space left"):
        sink.commit()
    sink.discard()
    assert target.read_text(encoding="utf-8") == ""
    assert not list(folder.glob(".*.tmp"))


def can_mount() -> bool:
    tried = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.skipif(not shutil.which("unshare") or not can_mount(), reason="nothing can be mounted")
def test_a_report_onto_a_file_that_is_mounted_is_written(folder: Path) -> None:
    (folder / "outside").write_text(OLD, encoding="utf-8")
    mounted = folder / "mounted"
    mounted.mkdir()
    (mounted / "junit.xml").touch()
    done = in_bash(
        "cp answer.json mounted; cd mounted; "
        "mount --bind ../outside junit.xml && gate --junit junit.xml",
        *("unshare", "-rm"),
    )
    assert done.returncode == 0, done.stderr
    assert b"the junit report junit.xml: written in place" in done.stderr
    assert is_junit((folder / "outside").read_bytes())
    assert [one.name for one in sorted(mounted.iterdir())] == ["answer.json", "junit.xml"]


def test_a_file_in_a_folder_that_takes_no_other_is_written_in_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: FileSink) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(FileSink, "_beside_target", refuse)
    target = folder / "report"
    with pytest.raises(OSError, match="Read-only"):
        FileSink(target).open()
    target.write_text(OLD, encoding="utf-8")
    sink = FileSink(target)
    sink.open().write("new")
    assert target.read_text(encoding="utf-8") == OLD
    sink.commit()
    assert target.read_text(encoding="utf-8") == "new"
    assert "in place" in sink.remark


def test_a_disk_without_space_for_a_new_file_leaves_the_earlier_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: FileSink) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FileSink, "_beside_target", refuse)
    target = folder / "report"
    target.write_text(OLD, encoding="utf-8")
    with pytest.raises(OSError, match="No space left"):
        FileSink(target).open()
    assert target.read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize("form", ["json", "junit"])
def test_a_second_signal_leaves_no_temporary_file(form: str, folder: Path) -> None:
    program = (
        "import os, pathlib, signal, sys\n"
        "from precheck_gate.runtime.process import Interrupts\n"
        "from precheck_gate.cli.options.report_paths import sinks_of\n"
        "from precheck_gate.reports.writing import ReportWriter\n"
        "interrupts = Interrupts(); interrupts.install()\n"
        "writer = ReportWriter(sinks_of([(sys.argv[1], 'report')], interrupts))\n"
        "more = getattr(writer._open[0].sink, 'more', None)\n"
        "if more: more()\n"
        "print(len(list(pathlib.Path().glob('.*.tmp'))), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGTERM)\n"
        "signal.pause()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, form], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert int(done.stdout) == (2 if form == "junit" else 1)
    assert not list(folder.glob(".*"))
