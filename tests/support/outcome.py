"""What a run of the program left behind, and what holds for every run, good or bad."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self
from xml.etree import ElementTree as ET

from precheck_gate.documents import strict_json
from precheck_gate.model.report import decode_report
from precheck_gate.saved.reports import contradictions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Marked, so that a search of everything that was written finds it.
TOKEN = "s3cr3t-MARK-0badc0ffee"
MARK = "s3cr3t-MARK"
PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
ID = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER = "a281f62f-4631-45d6-a2d3-679a9f4jb105"

_VERDICTS = {
    0: {"passed", "passed_with_warnings"},
    1: {"blocked"},
    2: {"error"},
    3: {"incomplete"},
    4: {"error"},
}


def task_id(number: int) -> str:
    """Return one of many well-formed task IDs."""
    return f"140b5236-88ad-43c8-811c-{number:07d}jb101"


def complaints(report: dict[str, Any]) -> list[str]:
    """Return all that is wrong with a report as it is read."""
    try:
        return list(contradictions(decode_report(strict_json.loads(json.dumps(report).encode()))))
    except ValueError as error:
        return [str(error)]


@dataclass(frozen=True)
class Outcome:
    """The exit code, what was printed, and the folder that the reports went to."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def report(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.folder / "report.json").read_bytes())
        return value

    @property
    def junit(self) -> ET.Element:
        return ET.parse(self.folder / "junit.xml").getroot()

    @property
    def findings(self) -> list[dict[str, Any]]:
        report = self.report
        tasks = (finding for task in report["tasks"] for finding in task["findings"])
        return [*report["findings"], *tasks]

    def has_line(self, start: str) -> None:
        assert any(line.startswith(start) for line in self.out.splitlines()), self.out

    def verdicts(self) -> dict[str, str]:
        """Return the verdict of each task, as the JSON report has it."""
        return {task["task"]: task["verdict"] for task in self.report["tasks"]}

    def says(self, *words: str) -> None:
        """Assert that the words are printed and, were they of an error, reported too."""
        for word in words:
            assert word in self.text, self.text

    def reports(self, *words: str) -> None:
        """Assert that both reports hold the words, so that a pipeline need not read the log."""
        report = json.dumps(self.report, ensure_ascii=False)
        junit = "\n".join(
            "\n".join((element.text or "", *element.attrib.values()))
            for element in self.junit.iter()
        )
        for word in words:
            assert word in report, report
            assert word in junit, junit


def check(outcome: Outcome, *, with_reports: bool = True) -> Outcome:
    """Assert what holds for every run, and return it."""
    assert "Traceback" not in outcome.text, outcome.text
    assert "Exception ignored" not in outcome.text, outcome.text
    assert outcome.code != 70, outcome.text
    check_secrecy(outcome)
    if with_reports:
        check_reports(outcome)
    return outcome


def check_secrecy(outcome: Outcome) -> None:
    """Assert that the token stands nowhere."""
    assert MARK not in outcome.text
    for path in outcome.folder.rglob("*"):
        if path.is_file() and path != outcome.folder / "token":
            assert MARK.encode() not in path.read_bytes(), path


def check_reports(outcome: Outcome) -> None:
    """Assert that both reports are whole and say what the exit code says."""
    report, junit = outcome.report, outcome.junit
    broken = len([*junit.iter("failure"), *junit.iter("error")])
    green = report["verdict"] in _VERDICTS[0]
    assert (broken == 0) == green
    assert int(junit.get("failures", 0)) + int(junit.get("errors", 0)) == broken
    assert report["exit_code"] == outcome.code
    assert complaints(report) == []
    if not report["advisory"]:
        assert report["verdict"] in _VERDICTS.get(outcome.code, {report["verdict"]})
    assert not [path.name for path in outcome.folder.iterdir() if path.name.endswith(".tmp")]


# Long enough for a machine with ten times the load; no test waits so long unless it fails.
PATIENCE = 60.0


def _command(argv: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "precheck_gate", *argv]


class Child:
    """A running ``python -m precheck_gate``; a context manager that leaves no process behind.

    Args:
        folder: where the reports go; also its working directory.
        argv: its arguments.
        environ: variables besides those of this process.
        tell_imports: whether each import is told on stderr, which names moments of its start.
    """

    def __init__(
        self,
        folder: Path,
        argv: Sequence[str],
        environ: dict[str, str] | None = None,
        *,
        tell_imports: bool = False,
    ) -> None:
        self.folder = folder
        self.argv = _command(argv)
        if tell_imports:
            self.argv[1:1] = ["-X", "importtime"]
        self._process = subprocess.Popen(
            self.argv,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._read: dict[str, list[str]] = {"out": [], "err": []}
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        streams = (("out", self._process.stdout), ("err", self._process.stderr))
        self._readers = [
            threading.Thread(target=self._follow, args=(name, stream), daemon=True)
            for name, stream in streams
        ]
        for reader in self._readers:
            reader.start()

    def _follow(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            self._read[name].append(line)
            self._lines.put(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, text: str) -> str:
        """Return the next line with ``text`` in it."""
        end = time.monotonic() + PATIENCE
        while (rest := end - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=min(rest, 0.5))
            except queue.Empty:
                if not self.running:
                    break
                continue
            if text in line:
                return line
        said = "".join(self._read["out"] + self._read["err"])
        raise AssertionError(f"never said {text!r}, but:\n{said}")

    def send(self, signum: int) -> None:
        self._process.send_signal(signum)

    def finish(self, *, within: float = PATIENCE, with_reports: bool = True) -> Outcome:
        """Wait for its end, and return what it left, checked."""
        self._process.wait(within)
        for reader in self._readers:
            reader.join(PATIENCE)
        out, err = "".join(self._read["out"]), "".join(self._read["err"])
        outcome = Outcome(self._process.returncode, out, err, self.folder)
        return check(outcome, with_reports=with_reports)


def redirected(folder: Path, argv: Sequence[str], how: str) -> Outcome:
    """Run the program in a shell with a redirection such as ``>/dev/full`` or ``| head -1``."""
    shell = subprocess.run(
        # The code is kept in a file, since a pipe's is that of its last command.
        ["sh", "-c", f'{{ "$@"; echo $? >../code; }} {how}', "sh", *_command(argv)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    code = int((folder.parent / "code").read_text())
    return check(Outcome(code, shell.stdout, shell.stderr, folder), with_reports=False)
