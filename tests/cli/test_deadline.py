"""What ``--timeout`` cuts off is incomplete, wherever it falls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.judgement import task
from tests.support.outcome import task_id

if TYPE_CHECKING:
    from tests.support.fakes import FakeClock
    from tests.support.gate import Gate, Serve

STUCK = [task_id(number) for number in range(100)]
LINES = "\n".join(f"  - {{id: {one}, answer: mysql, duration: 24h}}" for one in STUCK)
SCENARIO = f"version: 1\ntasks:\n{LINES}\n"


def test_a_wave_that_the_rate_is_too_low_for_is_incomplete(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(SCENARIO).url, "--max-rps", "1", "--timeout", "5s", tasks=STUCK)
    assert outcome.code == 3
    assert set(outcome.verdicts().values()) == {"incomplete"}
    assert outcome.report["service"]["seconds"] <= 5


@pytest.mark.parametrize("api", ["v3", "v5"])
def test_a_deadline_before_all_pre_checks_are_started_is_incomplete(
    gate: Gate, serve: Serve, api: str
) -> None:
    outcome = gate.run(
        serve(SCENARIO).url,
        *("--start-precheck", "--api", api, "--max-rps", "1", "--timeout", "5s"),
        tasks=STUCK,
    )
    assert outcome.code == 3
    assert outcome.report["service"]["seconds"] <= 5


@pytest.mark.parametrize("duration", ["0s", "24h"])
def test_the_judgement_is_part_of_the_time(
    gate: Gate, serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, duration: str
) -> None:
    judge_task = task.judge_task

    def slow(*arguments: Any) -> Any:
        clock.advance(0.1)
        return judge_task(*arguments)

    monkeypatch.setattr(task, "judge_task", slow)
    monkeypatch.setattr("precheck_gate.cli.live.run.judge_task", slow)
    lines = "\n".join(f"  - {{id: {one}, answer: mysql, duration: {duration}}}" for one in STUCK)
    gate.run(
        serve(f"version: 1\ntasks:\n{lines}\n").url,
        *("--timeout", "60s", "--max-staleness", "1s", "--max-rps", "1"),
        tasks=STUCK,
    )
    assert clock.monotonic() <= 60


def test_a_deadline_before_all_tasks_are_found_is_incomplete(gate: Gate, serve: Serve) -> None:
    many = range(150)
    lines = "\n".join(f"  - {{id: {task_id(n)}, answer: mysql, name: orders-{n}}}" for n in many)
    outcome = gate.run(
        serve(f"version: 1\ntasks:\n{lines}\n").url,
        *("--select", "name=orders-*", "--max-rps", "0.1", "--timeout", "5s"),
        tasks=[],
    )
    assert outcome.code == 3
    assert outcome.report["verdict"] == "incomplete"
    outcome.says("--max-rps", "--timeout")
