"""The gate itself: what was not observed, and what could not be written, costs the green."""

from __future__ import annotations

import io
import json
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.catalog import advise
from precheck_gate.ci import CiSystem, CiWorld, load_system
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.gate import Case, Gate, Outputs
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import FindingKind, RunFacts, Verdict
from precheck_gate.reports.sinks import StreamSink
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
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.ci import Written
    from precheck_gate.judgement.readiness import Readiness


def observed(*entries: dict[str, Any]) -> list[Observation]:
    found = parse_answer(body(*entries)).entries
    return [Observation(one, said) for one, said in found.items() if isinstance(said, Snapshot)]


class Mute(CiSystem):
    """A CI system that could not be told."""

    heard: Readiness

    def conclude(self, outcome: Readiness, written: Written) -> list[str]:
        self.heard = outcome
        return ["the summary could not be written"]


@dataclass
class Run:
    """A gate with everything that it printed and wrote."""

    ci: CiSystem = field(
        default_factory=lambda: load_system("none", CiWorld({}, lambda line: None, lambda: 0.0))
    )
    advisory: bool = False
    interrupts: Interrupts = field(default_factory=Interrupts)
    losses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.out, self.err, self.written = io.StringIO(), io.StringIO(), io.StringIO()

    def judge(self, observations: Any, requested: tuple[str, ...] = (TASK,), **more: Any) -> int:
        outputs = Outputs(
            reports=(("json", StreamSink(self.written)),), ci=self.ci, advisory=self.advisory
        )
        facts = RunFacts(mode="run", judged_on=TODAY.isoformat(), exit_code=0)
        gate = Gate(facts, outputs, Console(self.out, self.err), self.interrupts, self.losses)
        return gate.judge(
            Case(requested, observations, JudgementContext(DEFAULT, TODAY, advise), **more)
        )

    @property
    def report(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.written.getvalue())
        return value


def test_a_requested_task_that_nobody_observed_is_judged_as_never_asked_for() -> None:
    run = Run()
    code = run.judge(observed(entry(TASK)), (TASK, OTHER))
    assert code == 3
    assert [(one["task"], one["verdict"]) for one in run.report["tasks"]] == [
        (TASK, "passed"),
        (OTHER, "incomplete"),
    ]
    assert run.report["verdict"] == "incomplete"
    assert run.report["findings"] == []


def test_no_observation_at_all_leaves_every_task_incomplete() -> None:
    run = Run()
    assert run.judge([], (TASK, OTHER)) == 3
    assert [one["verdict"] for one in run.report["tasks"]] == ["incomplete", "incomplete"]


def test_observations_that_end_in_a_fault_yield_no_verdict() -> None:
    def broken() -> Iterator[Observation]:
        yield from observed(entry(TASK))
        raise OSError("the disk is gone")

    run = Run()
    with pytest.raises(OSError, match="the disk is gone"):
        run.judge(broken(), (TASK, OTHER))


def test_a_task_that_was_not_requested_is_no_part_of_the_case() -> None:
    with pytest.raises(KeyError):
        Run().judge(observed(entry(TASK), entry(OTHER)))


def test_what_was_lost_before_the_verdict_costs_the_green() -> None:
    run = Run(losses=["the answers could not be kept"])
    assert run.judge(observed(entry())) == 5
    assert "the answers could not be kept" in run.err.getvalue()


def test_what_the_ci_system_could_not_be_told_costs_the_green() -> None:
    run = Run(ci=Mute(CiWorld({}, lambda line: None, lambda: 0.0)))
    assert run.judge(observed(entry())) == 5
    assert "the summary could not be written" in run.err.getvalue()
    assert "exit     5 (" in run.out.getvalue()


def test_the_ci_system_is_told_of_the_code_with_all_that_was_lost_before() -> None:
    ci = Mute(CiWorld({}, lambda line: None, lambda: 0.0))
    assert Run(ci=ci, losses=["lost"]).judge(observed(entry())) == 5
    assert ci.heard.exit_code == 5


@pytest.mark.parametrize(
    ("observations", "code"),
    [
        (observed(entry(items=[item(result="FAILED")])), 1),
        (observed(entry(process="7%")), 3),
        ([Observation(TASK, trouble=Trouble(TroubleKind.NOT_ANSWERED, "gone"))], 4),
    ],
)
def test_a_red_verdict_keeps_its_own_code_whatever_was_lost(
    observations: list[Observation], code: int
) -> None:
    assert Run(losses=["lost"]).judge(observations) == code


def test_an_advisory_green_is_lost_with_its_report() -> None:
    blocked = observed(entry(items=[item(result="FAILED")]))
    assert Run(advisory=True).judge(blocked) == 0
    assert Run(advisory=True, losses=["lost"]).judge(blocked) == 5


def test_a_signal_ends_with_its_own_code_and_no_task_is_left_out() -> None:
    interrupts = Interrupts()
    interrupts.received = signal.SIGTERM
    run = Run(interrupts=interrupts, losses=["lost"])
    assert run.judge(observed(entry(TASK)), (TASK, OTHER)) == 143
    assert [one["verdict"] for one in run.report["tasks"]] == ["passed", "incomplete"]


def test_a_trouble_of_the_run_is_in_the_verdict_and_a_remark_is_not() -> None:
    run = Run()
    trouble = Trouble(TroubleKind.SERVICE, "it went away")
    assert run.judge(observed(entry()), troubles=[trouble], remarks=["odd"]) == 4
    [finding] = run.report["findings"]
    assert (finding["kind"], finding["verdict"]) == (FindingKind.RUN.value, Verdict.ERROR.value)
    calm = Run()
    assert calm.judge(observed(entry()), remarks=["odd"]) == 0
    assert calm.report["remarks"] == ["odd"]


def test_a_task_that_is_not_judged_before_the_deadline_is_incomplete() -> None:
    run, over = Run(), iter([False, True])
    code = run.judge(
        observed(entry(TASK), entry(OTHER)), (TASK, OTHER), time_over=lambda: next(over, True)
    )
    verdicts = {task["task"]: task["verdict"] for task in run.report["tasks"]}
    assert (code, verdicts) == (3, {TASK: "passed", OTHER: "incomplete"})


def test_a_deadline_does_not_hide_why_a_task_did_not_end() -> None:
    run, trouble = Run(), Trouble(TroubleKind.SERVICE, "the service gave no whole answer")
    unfinished = observed(entry(OTHER, process="50%"))
    code = run.judge(
        [Observation(TASK, None, trouble), *unfinished], (TASK, OTHER), time_over=lambda: True
    )
    messages = [task["findings"][0]["message"] for task in run.report["tasks"]]
    assert code == 4
    assert messages == [
        "the service gave no whole answer",
        "the pre-check is at 50 %, not at 100 %",
    ]


@pytest.mark.parametrize("advisory", [False, True])
@pytest.mark.parametrize("status", ["PASSED", "ALARM", "FAILED"])
def test_reports_that_are_written_after_the_deadline_are_never_green(
    status: str, advisory: bool
) -> None:
    run, looks = Run(advisory=advisory), iter([False])
    code = run.judge(
        observed(entry(TASK, items=[item(result=status)], result=status != "FAILED")),
        time_over=lambda: next(looks, True),
    )
    assert code == (1 if status == "FAILED" and not advisory else 3)
    assert run.report["exit_code"] == code
