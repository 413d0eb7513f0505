"""Days on which the service is busy, forgets, repeats itself or goes back on its word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, OTHER, task_id

if TYPE_CHECKING:
    from precheck_gate.simulator.server import Simulator
    from tests.support.fakes import FakeClock
    from tests.support.gate import Gate, Serve


def one_task(fields: str = "", faults: str = "") -> str:
    return (
        f"version: 1\ntasks: [{{id: {ID}, answer: mysql{fields}}}]\n"
        f"{f'faults: [{faults}]' if faults else ''}\n"
    )


def moments(service: Simulator, task: str = ID) -> list[float]:
    return [
        record.moment
        for record in service.requests
        if task in record.jobs and record.path.endswith("-result")
    ]


# --- busy ---------------------------------------------------------------------------------------


def test_429_with_retry_after_is_waited_out(gate: Gate, serve: Serve) -> None:
    service = serve(one_task(faults="{when: {request: 1}, status: 429, retry_after: 40}"))
    outcome = gate.run(service.url)
    assert outcome.code == 0
    assert [round(moment) for moment in moments(service)] == [0, 40]
    outcome.says("HTTP 429", "APIGW.0308", "Retrying in 40 s")
    assert outcome.report["service"]["retries"] == 1


def test_retry_after_as_a_date_is_waited_out(gate: Gate, serve: Serve) -> None:
    date = "'Thu, 01 Jan 2026 00:00:50 GMT'"
    service = serve(one_task(faults=f"{{when: {{request: 1}}, status: 429, retry_after: {date}}}"))
    assert gate.run(service.url).code == 0
    assert [round(moment) for moment in moments(service)] == [0, 50]


@pytest.mark.parametrize("wish", ["-5", "soon", "1e9", "'99999999999999999999'", "''"])
def test_a_retry_after_that_cannot_be_meant_does_no_harm(
    gate: Gate, serve: Serve, wish: str
) -> None:
    service = serve(one_task(faults=f"{{when: {{request: 1}}, status: 429, retry_after: '{wish}'}}"
                             .replace("''", "'")))  # fmt: skip
    outcome = gate.run(service.url, "--timeout", "10m")
    assert outcome.code in (0, 4)
    assert outcome.report["service"]["seconds"] <= 600


def test_503s_are_tried_again_with_growing_pauses(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.random", lambda: 1.0)
    service = serve(one_task(faults="{when: {request: 1-5}, status: 503}"))
    outcome = gate.run(service.url)
    assert outcome.code == 0
    assert [round(moment) for moment in moments(service)] == [0, 1, 3, 7, 15, 31]
    outcome.says("HTTP 503", "Retrying in")


def test_503s_without_end_are_an_error(gate: Gate, serve: Serve) -> None:
    service = serve(one_task(faults="{status: 503, message: down for maintenance}"))
    outcome = gate.run(service.url)
    assert outcome.code == 4
    outcome.says(
        "HTTP 503", "down for maintenance", "Run the gate again later, or with a longer --timeout"
    )
    outcome.reports("down for maintenance")
    assert outcome.report["service"]["seconds"] < 180


def test_a_service_that_falls_ill_in_the_middle_is_waited_for_until_the_timeout(
    gate: Gate, serve: Serve
) -> None:
    service = serve(one_task(", duration: 5m", "{when: {from: 1m, to: 20m}, status: 502}"))
    outcome = gate.run(service.url, "--timeout", "30m")
    assert outcome.code == 0
    assert outcome.report["service"]["retries"] > 10


# --- forgetful ----------------------------------------------------------------------------------


def test_a_missing_task_that_appears_within_the_grace(gate: Gate, serve: Serve) -> None:
    service = serve(one_task(", missing: {from: 0s, to: 30s}"))
    outcome = gate.run(service.url)
    assert outcome.code == 0
    outcome.says("the service answered, but not for this task")


def test_a_missing_task_is_an_error_after_the_grace(gate: Gate, serve: Serve) -> None:
    service = serve(
        f"version: 1\ntasks:\n  - {{id: {ID}, answer: mysql}}\n"
        f"  - {{id: {OTHER}, answer: mysql, missing: true}}\n"
    )
    outcome = gate.run(service.url, "--grace", "45s", tasks=[ID, OTHER])
    assert outcome.code == 4
    assert outcome.verdicts() == {ID: "passed", OTHER: "error"}
    outcome.says(OTHER, "not for this task", "Check the task's ID; was its pre-check started?")
    outcome.reports("not for this task")
    assert 45 <= outcome.report["service"]["seconds"] < 70


def test_an_error_of_the_task_that_passes(gate: Gate, serve: Serve) -> None:
    service = serve(one_task(", error: {code: DRS.10000001, message: try later, to: 20s}"))
    outcome = gate.run(service.url)
    assert outcome.code == 0
    outcome.says("try later", "DRS.10000001")


def test_a_pre_check_that_was_never_started(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one_task(", started: false")).url)
    assert outcome.code == 4
    outcome.says(ID, "DRS.10000001", "was its pre-check started?")


def test_a_task_that_nobody_asked_for_is_told_and_not_judged(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one_task(faults="{kind: extra_task}")).url)
    assert outcome.code == 0
    outcome.says("which was not asked for")
    assert list(outcome.verdicts()) == [ID]


def test_a_count_that_is_off_is_told(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one_task(faults="{kind: count_off}")).url)
    assert outcome.code == 0
    outcome.says("counts 2 results and sent 1")


# --- repeating itself ---------------------------------------------------------------------------


def test_a_task_doubled_alike_is_one(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one_task(", doubled: same")).url)
    assert outcome.code == 0
    outcome.says(f"task {ID} is in the answer 2 times, alike")
    assert outcome.verdicts() == {ID: "passed"}


def test_a_task_doubled_differently_is_a_contradiction(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one_task(", doubled: different")).url)
    assert outcome.code == 1
    outcome.says(ID, "more than once and not alike", "run its pre-check again")
    outcome.reports("more than once and not alike")


# --- going back on its word ---------------------------------------------------------------------


@pytest.mark.parametrize("later", ["0", "40", "99"])
def test_progress_that_falls_back_from_100_is_pending_again(
    gate: Gate, serve: Serve, later: str
) -> None:
    """Seen at 100 % while another task is still running; restarted by somebody; failed then."""
    service = serve(
        f"""
version: 1
tasks:
  - id: {ID}
    answer: mysql
    progress: [{{at: 0s, percent: 100}}, {{at: 50s, percent: {later}}}, {{at: 10m, percent: 100}}]
  - {{id: {OTHER}, answer: mysql, duration: 2m}}
"""
    )
    outcome = gate.run(service.url, tasks=[ID, OTHER])
    assert outcome.code == 0
    assert outcome.report["service"]["seconds"] >= 600
    seen = [int(percent) for percent in re.findall(rf"{ID}  (\d+) %", outcome.err)]
    assert (seen[0], seen[-1]) == (100, 100)
    assert int(later) <= min(seen) < 100


def test_stale_results_are_asked_for_again_before_the_verdict(gate: Gate, serve: Serve) -> None:
    service = serve(
        f"version: 1\ntasks:\n  - {{id: {ID}, answer: mysql}}\n"
        f"  - {{id: {OTHER}, answer: mysql, duration: 5m}}\n"
    )
    outcome = gate.run(service.url, tasks=[ID, OTHER])
    assert outcome.code == 0
    first, last = moments(service)[0], moments(service)[-1]
    assert first < 1
    assert last >= 300
    # In between it was left alone, and at the end asked once.
    assert len([moment for moment in moments(service) if 10 < moment < 299]) == 0
    assert len([moment for moment in moments(service) if moment >= 300]) == 1


def test_a_result_that_turned_bad_while_another_was_waited_for_blocks(
    gate: Gate, serve: Serve, clock: FakeClock
) -> None:
    """What was green at the start is asked for again, and is then not at 100 % any more."""
    service = serve(
        f"""
version: 1
tasks:
  - id: {ID}
    answer: mysql
    progress: [{{at: 0s, percent: 100}}, {{at: 4m, percent: 10}}]
  - {{id: {OTHER}, answer: mysql, duration: 5m}}
"""
    )
    outcome = gate.run(service.url, "--timeout", "20m", tasks=[ID, OTHER])
    assert outcome.code == 3
    assert outcome.verdicts()[ID] == "incomplete"
    assert clock.monotonic() == pytest.approx(1200, abs=2)


def test_a_task_that_ended_and_is_forgotten_for_a_while_gets_its_grace(
    gate: Gate, serve: Serve
) -> None:
    service = serve(
        f"version: 1\ntasks:\n  - {{id: {ID}, answer: mysql, missing: {{from: 4m, to: 320s}}}}\n"
        f"  - {{id: {OTHER}, answer: mysql, duration: 5m}}\n"
    )
    outcome = gate.run(service.url, tasks=[ID, OTHER])
    assert outcome.code == 0
    outcome.says("the service answered, but not for this task")
    assert moments(service)[-1] >= 320


@pytest.mark.parametrize("staleness", ["10s", "5m"])
def test_the_age_of_what_the_verdict_rests_on_is_bounded(
    gate: Gate, serve: Serve, staleness: str
) -> None:
    tasks = "".join(
        f"  - {{id: {task_id(n)}, answer: mysql, duration: {n * 20}s}}\n" for n in range(5)
    )
    service = serve(f"version: 1\ntasks:\n{tasks}")
    asked = [task_id(n) for n in range(5)]
    outcome = gate.run(service.url, "--max-staleness", staleness, tasks=asked)
    assert outcome.code == 0
    end = outcome.report["service"]["seconds"]
    bound = 10 if staleness == "10s" else 300
    for task in asked:
        assert end - moments(service, task)[-1] <= bound


@pytest.mark.parametrize("raw", ["abc", "'1e2%'", "true", "null", "101%", "'１００%'", "[100]"])
def test_a_progress_that_is_no_percentage_is_never_the_end(
    gate: Gate, serve: Serve, raw: str
) -> None:
    service = serve(
        f"version: 1\ntasks:\n  - id: {ID}\n    answer: mysql\n    progress: "
        f"[{{at: 0s, raw: {raw}}}]\n"
    )
    outcome = gate.run(service.url, "--timeout", "2m")
    assert outcome.code == 3
    outcome.says("is not a percentage", "Look at the task in the DRS console")
