"""Runs `evaluate` over answers in this process, and keeps everything that came of it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest import mock

from precheck_gate.__main__ import run_main
from precheck_gate.cli import main_group
from precheck_gate.documents import validation
from precheck_gate.runtime.process import Interrupts, Runtime
from tests.support.paths import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ANSWERS = TESTS.parent / "precheck_gate" / "simulator" / "answers"
MYSQL = (ANSWERS / "mysql.json").read_bytes()
DDS = (ANSWERS / "dds.json").read_bytes()
BLOCKED = (TESTS / "data" / "blocked.json").read_bytes()
ID = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER_ID = "240b5236-88ad-43c8-811c-1268453jb101"
REPORT_SCHEMA = validation.load_schema("report-1")


class FixedClock:
    """The same moment for ever."""

    def now(self) -> datetime:
        return datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("evaluate does not wait")


@dataclass(frozen=True)
class Evaluated:
    """What one call of `evaluate` left behind."""

    code: int
    out: bytes
    err: bytes
    folder: Path

    @property
    def junit(self) -> Path:
        return self.folder / "junit.xml"

    @property
    def json_bytes(self) -> bytes:
        return (self.folder / "report.json").read_bytes()

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.json_bytes)
        return report


def task(task_id: str = ID, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a result that passes, unless its items or fields say otherwise."""
    return {
        "precheck_id": task_id,
        "result": True,
        "process": "100%",
        "precheck_result": list(items) or [item()],
        **fields,
    }


def item(name: str = "srcDbConnection", result: Any = "PASSED", **fields: Any) -> dict[str, Any]:
    return {"item": name, "result": result, **fields}


def answer(*tasks: dict[str, Any]) -> bytes:
    return json.dumps({"results": list(tasks), "count": len(tasks)}).encode()


def evaluate(
    folder: Path,
    answers: Sequence[bytes],
    *options: str,
    reports: Sequence[str] = ("--junit", "junit.xml", "--report", "json=report.json"),
    interrupted_by: signal.Signals | None = None,
    fixed_day: bool = True,
) -> Evaluated:
    """Judge ``answers``, saved in ``folder``, which is the working folder meanwhile."""
    names = [f"answer-{number}.json" for number in range(1, len(answers) + 1)]
    for name, content in zip(names, answers, strict=True):
        (folder / name).write_bytes(content)
    arguments = ["evaluate", *names, *reports, *options]
    out, err = Stream(), Stream()
    with _surroundings(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if fixed_day or interrupted_by:
            interrupts = Interrupts()
            interrupts.received = interrupted_by
            runtime = Runtime(interrupts, FixedClock())
            code = main_group.main(arguments, standalone_mode=False, obj=runtime)
        else:
            code = run_main(arguments)
    assert isinstance(code, int)
    return Evaluated(code, out.content(), err.content(), folder)


class Stream(io.TextIOWrapper):
    """A stream of text in UTF-8, as a pipe gives it."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)

    def content(self) -> bytes:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue()


@contextlib.contextmanager
def _surroundings(folder: Path) -> Iterator[None]:
    """Enter ``folder`` with no setting in the environment; put the signals' handlers back."""
    ours = ("PRECHECK_GATE_", "NO_COLOR", "FORCE_COLOR")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with mock.patch.dict(os.environ, environ, clear=True), contextlib.chdir(folder):
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


SEVERITY = ("passed", "passed_with_warnings", "blocked", "incomplete", "error")


def expected_cases(report: dict[str, Any]) -> dict[str, Counter[str]]:
    """Return, from the JSON report alone, how many cases of which kind each suite must have."""
    suites: dict[str, Counter[str]] = {}
    for one in report["tasks"]:
        own = [finding for finding in one["findings"] if finding["kind"] == "task"]
        verdicts = [max((f["verdict"] for f in own), key=SEVERITY.index)]
        verdicts += [f["verdict"] for f in one["findings"] if f["kind"] != "task"]
        suites[one["task"]] = _counted(verdicts)
    if report["findings"]:
        suites["precheck-gate"] = _counted([f["verdict"] for f in report["findings"]])
    return suites


def _counted(verdicts: Sequence[str]) -> Counter[str]:
    kinds = {
        "passed": "passed",
        "passed_with_warnings": "skipped",
        "blocked": "failures",
        "incomplete": "errors",
        "error": "errors",
    }
    return Counter({"tests": len(verdicts)}) + Counter(kinds[verdict] for verdict in verdicts)
