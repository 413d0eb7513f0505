"""How a gate ends: its code and its words, who is told of it, and what is left on the disk."""

from __future__ import annotations

import io
import json
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from precheck_gate.catalog import advise
from precheck_gate.ci import CiSystem, CiWorld, Written
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import PrecheckGateError, ServiceError, TimeOver, UsageError
from precheck_gate.gate import Case, Gate, Outputs, no_ci
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.judgement.second_key import SecondKey
from precheck_gate.model.snapshots import Observation, Snapshot
from precheck_gate.model.verdicts import RunFacts
from precheck_gate.reports.sinks import FileSink, StreamSink
from precheck_gate.reports.terminal import Summary, SummaryKind
from precheck_gate.runtime.console import Console
from precheck_gate.runtime.process import Interrupts
from tests.support.harness import (
    DEFAULT,
    OTHER,
    TASK,
    TODAY,
    body,
    entry,
    item,
    policy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precheck_gate.judgement.readiness import Readiness
    from precheck_gate.policy.model import Policy

PASSED = entry()
WARNED = entry(items=[item("a", "ALARM")])
BLOCKED = entry(items=[item("a", "FAILED")])
RUNNING = entry(process="7%")


class Told(CiSystem):
    """A CI system that takes a summary, and notes what it is told."""

    def __init__(self, room: int = 0) -> None:
        super().__init__(CiWorld({}, lambda line: None, lambda: 0.0))
        self._room = room
        self.outcomes: list[Readiness] = []
        self.written: list[Written] = []

    def summary_room(self) -> int:
        return self._room

    def conclude(self, outcome: Readiness, written: Written) -> list[str]:
        self.outcomes.append(outcome)
        self.written.append(written)
        return []


@dataclass
class Run:
    """A gate, and all that it printed and wrote."""

    more: dict[str, Any] = field(default_factory=dict)
    mode: str = "run"
    losses: list[str] = field(default_factory=list)
    by: Policy = DEFAULT
    interrupts: Interrupts = field(default_factory=Interrupts)

    def __post_init__(self) -> None:
        self.out, self.err, self.stream = io.StringIO(), io.StringIO(), io.StringIO()
        outputs = Outputs(**{"reports": (("json", StreamSink(self.stream)),), **self.more})
        facts = RunFacts(mode=self.mode, judged_on=TODAY.isoformat(), exit_code=0)
        console = Console(self.out, self.err)
        self.gate = Gate(facts, outputs, console, self.interrupts, self.losses)

    def judge(self, *entries: dict[str, Any], observations: Any = None) -> int:
        found = parse_answer(body(*entries)).entries
        seen = [Observation(one, said) for one, said in found.items() if isinstance(said, Snapshot)]
        context = JudgementContext(self.by, TODAY, advise)
        return self.gate.judge(Case([*found], observations or seen, context))

    @property
    def report(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.stream.getvalue())
        return value

    def said(self, label: str) -> list[str]:
        """Return what stands behind a label of the last lines."""
        lines = [line.split(maxsplit=1) for line in self.out.getvalue().splitlines()]
        return [line[1] for line in lines if line and line[0] == label]


@pytest.mark.parametrize(
    ("error", "code", "verdict", "title"),
    [
        (UsageError("no such task", hint="name it"), 2, "error", "usage"),
        (TimeOver("no such task", hint="name it"), 3, "incomplete", "incomplete"),
        (ServiceError("no such task", hint="name it", code="X.1"), 4, "error", "service"),
        (PrecheckGateError("no such task", hint="name it"), 70, "error", "bug"),
    ],
)
def test_an_error_before_there_was_anything_to_judge_is_reported_as_what_it_is(
    error: PrecheckGateError, code: int, verdict: str, title: str
) -> None:
    run = Run()
    assert run.gate.fail(error) == code
    assert (run.report["exit_code"], run.report["verdict"]) == (code, verdict)
    [finding] = run.report["findings"]
    assert (finding["title"], finding["message"], finding["next_step"]) == (
        title,
        "no such task",
        "name it",
    )
    assert finding.get("code", "") == getattr(error, "code", "")
    assert "error: no such task" in run.err.getvalue()


def test_what_was_printed_as_an_error_is_not_printed_again_as_a_verdict() -> None:
    failed, late = Run(), Run()
    failed.gate.fail(UsageError("no such task"))
    assert "no such task" not in failed.out.getvalue()
    late.gate.fail(TimeOver("it took too long"))
    assert "it took too long" in late.out.getvalue()


@pytest.mark.parametrize("losses", [[], ["lost"]])
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_there_was_anything_to_judge_has_its_code_whatever_is_lost(
    signum: int, code: int, losses: list[str]
) -> None:
    run = Run(losses=losses)
    assert run.gate.interrupted(signum) == code
    assert (run.report["exit_code"], run.report["verdict"]) == (code, "incomplete")
    [finding] = run.report["findings"]
    assert finding["title"] == signal.Signals(signum).name.lower()


@pytest.mark.parametrize("error", [UsageError("x"), ServiceError("x"), PrecheckGateError("x")])
def test_an_error_keeps_its_code_whatever_is_lost(error: PrecheckGateError) -> None:
    assert Run(losses=["lost"]).gate.fail(error) == error.exit_code


@pytest.mark.parametrize(
    ("entries", "more", "mode", "code", "says"),
    [
        ([PASSED], {}, "run", 0, "passed"),
        ([PASSED], {"advisory": True}, "run", 0, "passed"),
        ([PASSED], {"warn_code": 10}, "run", 0, "passed"),
        ([WARNED], {"warn_code": 10}, "run", 10, "passed with warnings"),
        ([BLOCKED], {}, "run", 1, "blocked: "),
        ([BLOCKED], {"advisory": True}, "run", 0, "blocked, but --advisory is set"),
        ([BLOCKED], {}, "evaluate", 1, "blocked: "),
        ([RUNNING], {}, "run", 3, "incomplete: time ran out"),
        ([RUNNING], {}, "evaluate", 3, "incomplete: not every task"),
    ],
)
def test_the_last_line_says_the_code_and_what_it_means(
    entries: list[dict[str, Any]], more: dict[str, Any], mode: str, code: int, says: str
) -> None:
    run = Run(more, mode)
    assert run.judge(*entries) == code
    [said] = run.said("exit")
    assert said.startswith(f"{code} ({says}")
    assert ("advisory" in said) is ("advisory" in says)


def test_without_a_word_of_the_user_nothing_is_softened_or_left_out() -> None:
    assert (Outputs().advisory, Outputs().quiet, Outputs().summary) == (
        *(False, False),
        SummaryKind.FULL,
    )
    assert Run().judge(BLOCKED) == 1
    allowed = Run(by=policy("version: 1\nrules: [{match: {item: a}, effect: allow}]\n"))
    assert allowed.judge(entry(items=[item("a", "ALARM"), item("b")])) == 0
    verbose = Run({"verbose": True}, by=allowed.by)
    assert verbose.judge(entry(items=[item("a", "ALARM"), item("b")])) == 0
    assert len(verbose.out.getvalue()) > len(allowed.out.getvalue())


def test_a_waiver_without_effect_blocks_only_where_that_is_asked_for() -> None:
    unused = "{id: W, match: {item: z}, reason: r, owner: o, expires: 2026-07-01}"
    assert Run(by=policy(f"version: 1\nwaivers: [{unused}]\n")).judge(PASSED) == 0


def test_the_reports_that_were_written_are_named_in_a_full_summary_alone(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.xml"
    reports = (("json", FileSink(first)), ("junit", FileSink(second)))
    full, short, none = (
        Run({"reports": reports, "summary": SummaryKind.FULL}),
        Run({"reports": reports, "summary": SummaryKind.SHORT}),
        Run({"reports": ()}),
    )
    assert [one.judge(PASSED) for one in (full, short, none)] == [0, 0, 0]
    assert full.said("reports") == [f"{first}, {second}"]
    assert short.said("reports") == none.said("reports") == []


def test_observations_that_end_in_a_fault_leave_no_part_of_a_report(tmp_path: Path) -> None:
    def broken() -> Iterator[Observation]:
        raise OSError("the disk is gone")
        yield

    run = Run({"reports": (("json", FileSink(tmp_path / "report.json")),)})
    with pytest.raises(OSError, match="the disk is gone"):
        run.judge(PASSED, observations=broken())
    assert list(tmp_path.iterdir()) == []


def test_a_fault_in_the_summary_leaves_no_part_of_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Summary, "finish", mock.Mock(side_effect=ValueError("a bug")))
    run = Run({"reports": (("json", FileSink(tmp_path / "report.json")),)})
    with pytest.raises(ValueError, match="a bug"):
        run.judge(PASSED)
    assert list(tmp_path.iterdir()) == []


class Full(io.StringIO):
    """A terminal or file that takes nothing more."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("entries", "code"), [([PASSED], 5), ([BLOCKED], 1)])
def test_a_verdict_that_cannot_be_printed_costs_the_green(
    entries: list[dict[str, Any]], code: int
) -> None:
    run = Run()
    run.gate.console = Console(Full(), run.err)
    assert run.judge(*entries) == code
    assert run.report["exit_code"] == code
    assert "could not be printed" in run.err.getvalue()


class Remarkable(StreamSink):
    """A place of which the user should know something."""

    remark = "it was written in place"


def test_what_is_remarkable_of_a_report_is_said_and_costs_nothing() -> None:
    run = Run({"reports": (("json", Remarkable(io.StringIO(), "there.json")),)})
    assert run.judge(PASSED) == 0
    assert "there.json: it was written in place" in run.err.getvalue()


def test_a_report_that_could_not_be_written_is_named_and_costs_the_green(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lost = FileSink(tmp_path / "file" / "report.xml")
    run = Run({"reports": (("junit", lost), ("json", FileSink(tmp_path / "good.json")))})
    assert run.judge(PASSED) == 5
    assert f"the junit report {lost.name} could not be written" in run.err.getvalue()
    assert run.said("reports") == [str(tmp_path / "good.json")]


class Signalled(Told):
    """A CI system that a signal interrupts while the disk fills up: no report can be corrected."""

    def __init__(self, interrupts: Interrupts, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._interrupts, self._monkeypatch = interrupts, monkeypatch

    def conclude(self, outcome: Readiness, written: Written) -> list[str]:
        full = mock.Mock(side_effect=OSError(28, "No space left"))
        self._monkeypatch.setattr(Path, "replace", full)
        self._interrupts.received = signal.SIGTERM
        return super().conclude(outcome, written)


def test_each_report_that_fails_is_warned_of_once_early_or_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    lost, late = FileSink(tmp_path / "file" / "report.xml"), FileSink(tmp_path / "late.json")
    interrupts = Interrupts()
    ci = Signalled(interrupts, monkeypatch)
    run = Run({"reports": (("junit", lost), ("json", late)), "ci": ci}, interrupts=interrupts)
    assert run.judge(PASSED) == 143
    for name in (lost.name, late.name):
        assert run.err.getvalue().count(f"report {name} could not be written") == 1


@pytest.mark.parametrize(("entries", "code"), [([PASSED], 70), ([BLOCKED], 1)])
def test_a_bug_in_a_report_is_told_as_such_where_the_run_is_not_red(
    entries: list[dict[str, Any]], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = mock.Mock(side_effect=ValueError("bug"))
    monkeypatch.setattr("precheck_gate.reports.junit.JUnitReporter.finish", bug)
    run = Run({"reports": (("junit", StreamSink(io.StringIO())),)})
    assert run.judge(*entries) == code


def test_a_report_on_a_stream_says_the_code_of_a_run_that_lost_another_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What was printed cannot be corrected, so that it has to be the last.
    bug = mock.Mock(side_effect=OSError(28, "No space left"))
    monkeypatch.setattr("precheck_gate.reports.junit.JUnitReporter.finish", bug)
    stream = io.StringIO()
    reports = (("json", StreamSink(stream)), ("junit", StreamSink(io.StringIO())))
    assert Run({"reports": reports}).judge(PASSED) == 5
    assert json.loads(stream.getvalue())["exit_code"] == 5


def test_one_bug_among_the_reports_that_failed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    bug = mock.Mock(side_effect=ValueError("bug"))
    monkeypatch.setattr("precheck_gate.reports.junit.JUnitReporter.finish", bug)
    lost = FileSink(tmp_path / "file" / "report.json")
    run = Run({"reports": (("json", lost), ("junit", StreamSink(io.StringIO())))})
    assert run.judge(PASSED) == 70


def test_the_ci_system_is_told_which_files_there_are(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    first, second = FileSink(tmp_path / "1.json"), FileSink(tmp_path / "2.json")
    lost = FileSink(tmp_path / "file" / "report.xml")
    stream = StreamSink(io.StringIO(), "page.html")
    ci = Told()
    reports = (("json", first), ("json", second), ("junit", lost), ("html", stream))
    assert Run({"reports": reports, "ci": ci}).judge(PASSED) == 5
    [written] = ci.written
    assert written.reports == {"json": first.name}
    assert (written.markdown, written.policy) == ("", DEFAULT.name)


def test_the_ci_system_is_told_of_every_task_and_finding() -> None:
    ci = Told()
    other = entry(OTHER, items=[item("b", "FAILED")])
    assert Run({"ci": ci}).judge(WARNED, other) == 1
    [outcome] = ci.outcomes
    assert (outcome.ready, outcome.blocked, outcome.exit_code) == ((TASK,), (OTHER,), 1)
    assert (outcome.warnings, outcome.blocking_count > 0) == (1, True)


def test_a_ci_system_with_room_for_a_summary_gets_one_of_every_task() -> None:
    ci = Told(room=10_000)
    assert Run({"ci": ci}).judge(WARNED, entry(OTHER)) == 0
    [written] = ci.written
    assert TASK in written.markdown
    assert "a" in written.markdown
    assert len(written.markdown) < 10_000


def test_without_a_ci_system_nobody_is_told_and_there_is_no_room() -> None:
    assert no_ci().summary_room() == 0
    assert no_ci().name == "none"


def objecting(number: int, monkeypatch: pytest.MonkeyPatch) -> str:
    said = [f"objection {index}" for index in range(number)]

    def objections(*_: object, **__: object) -> Sequence[str]:
        return said

    monkeypatch.setattr(SecondKey, "objections", objections)
    run = Run()
    assert run.judge(PASSED) == 70
    [finding] = run.report["findings"]
    return str(finding["message"])


@pytest.mark.parametrize(("number", "more"), [(1, None), (3, None), (4, 1), (7, 4)])
def test_the_first_objections_of_the_second_key_are_told_and_the_others_counted(
    number: int, more: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = objecting(number, monkeypatch)
    assert [f"objection {index}" in message for index in range(number)] == [
        index < 3 for index in range(number)
    ]
    assert ("more objections" in message) is (more is not None)
    assert more is None or f"{more} more objections" in message
