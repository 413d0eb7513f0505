"""`run --start-precheck`: only what was started here counts, and what could not be is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.gate import BAD, GOOD, START, calls, one
from tests.support.outcome import ID, OTHER, task_id

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve


def test_an_old_green_result_is_never_taken_for_the_new_red_one(gate: Gate, serve: Serve) -> None:
    # The old one is shown for a minute on, as green as can be.
    scenario = one(f"items: {GOOD}, lag: 60s, runs: [{{items: {BAD}, duration: 90s}}]")
    outcome = gate.run(serve(scenario).url, START)
    assert outcome.code == 1
    outcome.says("progress was seen below 100 % after the start")


def test_an_old_green_result_that_stays_for_ever_is_incomplete(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one(f"items: {GOOD}, lag: 2h")).url, START, "--timeout", "10m")
    assert outcome.code == 3
    outcome.says("nothing proves that this result is of the pre-check that this run started")
    assert outcome.verdicts() == {ID: "incomplete"}


def test_a_new_green_result_after_an_old_red_one(gate: Gate, serve: Serve) -> None:
    scenario = one(f"items: {BAD}, runs: [{{items: {GOOD}, duration: 20s}}]")
    service = serve(scenario)
    assert gate.run(service.url, START).code == 0
    assert len(calls(service, "batch-precheck")) == 1


def test_a_new_result_that_is_there_at_once_counts_where_it_differs(
    gate: Gate, serve: Serve
) -> None:
    scenario = one(f"items: {BAD}, runs: [{{items: {GOOD}, duration: 0}}]")
    outcome = gate.run(serve(scenario).url, START)
    assert outcome.code == 0
    outcome.says("it differs from the result before the start")


def test_a_new_result_is_known_by_its_own_id(gate: Gate, serve: Serve) -> None:
    run = f"{{items: {GOOD}, duration: 0, precheck_id: own-1}}"
    outcome = gate.run(serve(one(f"items: {GOOD}, runs: [{run}]")).url, START)
    assert outcome.code == 0
    outcome.says("it has the ID of the started pre-check")
    assert [task["task"] for task in outcome.report["tasks"]] == [ID]


def test_the_results_of_another_precheck_do_not_count(gate: Gate, serve: Serve) -> None:
    # What is shown bears neither the task's ID nor that of the pre-check that was started.
    fields = "fields: {precheck_id: somebody-elses}"
    outcome = gate.run(serve(one(f"items: {GOOD}, {fields}")).url, START, "--timeout", "5m")
    assert outcome.code == 4


@pytest.mark.parametrize(
    ("status", "mode", "code", "said"),
    [
        ("CONFIGURATION", "auto", 0, ""),
        ("START_JOB_FAILED", "auto", 0, ""),
        ("START_JOB_FAILED", "forRetryJob", 0, ""),
        ("INCRE_TRANSFER_STARTED", "auto", 4, "its status is INCRE_TRANSFER_STARTED"),
        ("START_JOB_FAILED", "forStartJob", 4, "could not be started"),
    ],
)
def test_the_mode(gate: Gate, serve: Serve, status: str, mode: str, code: int, said: str) -> None:
    service = serve(one(f"items: {GOOD}, duration: 20s, status: {status}"))
    outcome = gate.run(service.url, START, "--mode", mode)
    assert outcome.code == code
    if said:
        outcome.reports(said)
        outcome.says("CONFIGURATION (forStartJob)" if mode == "auto" else "CONFIGURATION")
    assert bool(calls(service, "batch-status")) == (mode == "auto")


def test_what_cannot_be_started_is_an_error_however_green_its_old_result(
    gate: Gate, serve: Serve
) -> None:
    refused = f"start_error: {{code: DRS.M05001, message: not now}}, items: {GOOD}"
    scenario = f"""
version: 1
tasks:
  - {{id: {ID}, items: {GOOD}, duration: 20s}}
  - {{id: {OTHER}, {refused}}}
"""
    service = serve(scenario)
    outcome = gate.run(service.url, START, tasks=[ID, OTHER])
    assert outcome.code == 4
    assert outcome.verdicts() == {ID: "passed", OTHER: "error"}
    outcome.reports("its pre-check could not be started: not now", "DRS.M05001")


def test_at_most_ten_are_started_in_a_call(gate: Gate, serve: Serve) -> None:
    tasks = [task_id(number) for number in range(23)]
    run = f"runs: [{{items: {GOOD}, duration: 20s}}]"
    lines = "\n".join(f"  - {{id: {one}, items: {BAD}, {run}}}" for one in tasks)
    service = serve(f"\nversion: 1\ntasks:\n{lines}\n")
    assert gate.run(service.url, START, tasks=tasks).code == 0
    assert [len(call.jobs) for call in calls(service, "batch-precheck")] == [10, 10, 3]


@pytest.mark.parametrize("shape", ["batch", "nameless", "plain"])
def test_one_bad_task_does_not_keep_the_others_from_being_started(
    gate: Gate, serve: Serve, shape: str
) -> None:
    tasks = [task_id(number) for number in range(5)]
    lines = "\n".join(f"  - {{id: {one}, items: {GOOD}, duration: 20s}}" for one in tasks)
    bad = f"{{when: {{call: start, task: {tasks[2]}}}, status: 400, shape: {shape}}}"
    service = serve(f"\nversion: 1\ntasks:\n{lines}\nfaults: [{bad}]\n")
    outcome = gate.run(service.url, START, "--mode", "forStartJob", tasks=tasks)
    assert outcome.code == 4
    wanted = {one: "error" if one == tasks[2] else "passed" for one in tasks}
    assert outcome.verdicts() == wanted


def test_a_task_that_was_never_prechecked_is_started_beside_others(
    gate: Gate, serve: Serve
) -> None:
    scenario = f"""
version: 1
tasks:
  - {{id: {ID}, items: {GOOD}, duration: 20s, started: false}}
  - {{id: {OTHER}, items: {GOOD}, duration: 20s}}
"""
    assert gate.run(serve(scenario).url, START, tasks=[ID, OTHER]).code == 0


def test_a_start_is_repeated_after_throttling(gate: Gate, serve: Serve) -> None:
    busy = "{when: {call: start, request: 1-2}, status: 429, retry_after: 3}"
    outcome = gate.run(serve(one(f"items: {GOOD}, duration: 20s", busy)).url, START)
    assert outcome.code == 0
    assert outcome.report["service"]["retries"] == 2


@pytest.mark.parametrize("fault", ["status: 503", "status: 403", "kind: html", "status: 404"])
def test_a_start_that_never_works_leaves_no_green(gate: Gate, serve: Serve, fault: str) -> None:
    scenario = one(f"items: {GOOD}", f"{{when: {{call: start}}, {fault}}}")
    outcome = gate.run(serve(scenario).url, START)
    assert outcome.code == 4
    assert not any(verdict == "passed" for verdict in outcome.verdicts().values())


def test_without_a_start_the_age_of_a_result_is_not_known_and_that_is_told(
    gate: Gate, serve: Serve
) -> None:
    outcome = gate.run(serve(one(f"items: {GOOD}")).url)
    assert outcome.code == 0
    outcome.says("1 of 1 pre-check had finished before this run, so its result may be out of date")
    assert any("may be out of date" in remark for remark in outcome.report["remarks"])


def test_a_run_that_was_watched_is_not_old(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one(f"items: {GOOD}, duration: 20s")).url)
    assert outcome.code == 0
    assert not outcome.report["remarks"]
