"""Runs `evaluate` over answers in this process, and keeps everything that came of it."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import signal
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from lxml import etree

from precheck_gate.__main__ import run_main
from precheck_gate.cli import main_group
from precheck_gate.documents import validation
from precheck_gate.runtime.process import Interrupts, Runtime
from tests.support.paths import TESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ANSWERS = TESTS.parent / "precheck_gate" / "simulator" / "answers"
MYSQL = (ANSWERS / "mysql.json").read_bytes()
DDS = (ANSWERS / "dds.json").read_bytes()
BLOCKED = (TESTS / "data" / "blocked.json").read_bytes()
ID = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER_ID = "240b5236-88ad-43c8-811c-1268453jb101"
DOTENV_NAMES = [
    *("VERDICT", "EXIT_CODE", "READY_TASKS", "BLOCKED_TASKS", "READY_COUNT", "BLOCKED_COUNT"),
    *("WARNINGS", "LEFT_OUT"),
]
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


MIXED = answer(
    task("1" * 8 + ID[8:]),
    task("2" * 8 + ID[8:], item("srcCollHasTtlIndex", "ALARM", failed_reason="TTL")),
    task("3" * 8 + ID[8:], item("srcDbBinlogIsOff", "FAILED"), result=False),
    task("4" * 8 + ID[8:], item("srcDbBinlogIsOff", "FAILED"), process="99%"),
    task("5" * 8 + ID[8:], error_code="DRS.M00289", error_msg="no such job"),
)
NO_WARNINGS = "version: 1\nlimits: {max_warnings: 0}\n"


def _limited(folder: Path) -> Evaluated:
    (folder / "policy.yaml").write_text(NO_WARNINGS, encoding="utf-8")
    return evaluate(folder, [DDS], "--policy", "policy.yaml")


def _bug(folder: Path) -> Evaluated:
    with mock.patch("precheck_gate.judgement.task.judge_task", side_effect=RuntimeError("secret")):
        return evaluate(folder, [MYSQL])


def _judging(*answers: bytes, options: tuple[str, ...] = ()) -> Callable[[Path], Evaluated]:
    return lambda folder: evaluate(folder, answers, *options)


OUTCOMES: dict[str, tuple[int, Callable[[Path], Evaluated]]] = {
    "passed": (0, _judging(MYSQL)),
    "warnings": (0, _judging(DDS)),
    "warnings with a code": (10, _judging(DDS, options=("--warn-exit-code", "10"))),
    "blocked": (1, _judging(BLOCKED)),
    "advisory": (0, _judging(BLOCKED, options=("--advisory",))),
    "blocked by a limit": (1, _limited),
    "contradiction": (1, _judging(answer(task(ID, item(result="FAILED"))))),
    "refused": (1, _judging(answer(task(result=False)))),
    "no items": (1, _judging(answer({**task(), "precheck_result": []}))),
    "two answers that differ": (1, _judging(answer(task()), answer(task(process="1%")))),
    "incomplete": (3, _judging(answer(task(process="42%")))),
    "task in error": (4, _judging(answer(task(error_code="DRS.M05004", error_msg="deleted")))),
    "malformed": (4, _judging(answer(task(ID, item(failed_sub_jobs="none"))))),
    "not answered for": (4, _judging(MYSQL, options=("--task", OTHER_ID))),
    "not answers": (4, _judging(b"<html>", b"[]")),
    "mixed": (4, _judging(MIXED, BLOCKED, DDS)),
    "no tasks": (2, _judging(b'{"results": [], "count": 0}')),
    "empty file": (2, _judging(b"")),
    "no policy file": (2, _judging(MYSQL, options=("--policy", "absent.yaml"))),
    "not a task's ID": (2, _judging(MYSQL, options=("--task", "x"))),
    "interrupted": (143, lambda folder: evaluate(folder, [MIXED], interrupted_by=signal.SIGTERM)),
    "bug": (70, _bug),
}


@pytest.fixture(scope="session")
def outcome_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Evaluated]:
    """Return what makes the outcome of a name, once."""

    @functools.cache
    def make(name: str) -> Evaluated:
        code, call = OUTCOMES[name]
        outcome = call(tmp_path_factory.mktemp("outcome"))
        assert outcome.code == code, outcome.out + outcome.err
        return outcome

    return make


@pytest.fixture(params=OUTCOMES)
def outcome(request: pytest.FixtureRequest, outcome_of: Callable[[str], Evaluated]) -> Evaluated:
    """Give each outcome in turn."""
    return outcome_of(request.param)


@functools.cache
def _junit_schema() -> etree.XMLSchema:
    # An unchanged copy of the file in https://github.com/jenkinsci/xunit-plugin, with whose schema
    # readers of JUnit files agree. Its MIT licence notice is in the file.
    return etree.XMLSchema(etree.parse(TESTS / "support" / "schemas" / "junit-10.xsd"))


def assert_valid_junit(file: Path) -> None:
    """Check a JUnit file against the schema."""
    _junit_schema().assertValid(etree.parse(file))
