"""A run by API v5: the same verdicts, one request a task, and a way over from v3."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click
import pytest

from tests.support.outcome import ID, OTHER, task_id

if TYPE_CHECKING:
    from precheck_gate.simulator.server import Simulator
    from tests.support.gate import Gate, Serve

V5 = ("--api", "v5")
QUERY = ("--query-id", f"{ID}={ID}")
START = "--start-precheck"
GOOD = "[{item: srcDbConnection}]"
BAD = "[{item: srcDbConnection, result: FAILED}]"


def one(more: str, extra: str = "") -> str:
    return f"\nversion: 1\ntasks: [{{id: {ID}, {more}}}]\n{extra}\n"


def paths(service: Simulator) -> list[str]:
    return [asked.path for asked in service.requests]


@pytest.mark.parametrize(("items", "code"), [(GOOD, 0), (BAD, 1), ("[]", 1)])
def test_a_result_under_a_query_id(gate: Gate, serve: Serve, items: str, code: int) -> None:
    service = serve(one(f"items: {items}, duration: 20s, name: orders"))
    outcome = gate.run(service.url, *V5, *QUERY)
    assert outcome.code == code
    assert all(path.startswith("/v5/") for path in paths(service))
    assert outcome.report["tasks"][0]["name"] == "orders"


def test_both_versions_give_the_same_findings(gate: Gate, serve: Serve) -> None:
    scenario = one("answer: dds, duration: 20s")
    reports = [gate.run(serve(scenario).url, *more).report for more in ((), (*V5, *QUERY))]
    first, second = ([task["findings"] for task in report["tasks"]] for report in reports)
    assert first == second


def test_without_a_query_id_there_is_no_result(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one(f"items: {GOOD}")).url, *V5)
    assert outcome.code == 4
    outcome.reports("API v5 gives a result only under the query ID")
    outcome.says("--start-precheck")


def test_the_result_of_another_query_does_not_count(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one(f"items: {GOOD}")).url, *V5, "--query-id", f"{ID}=another")
    assert outcome.code == 4


def test_a_start_gives_the_query_id(gate: Gate, serve: Serve) -> None:
    # The pre-check before passed; the one that is started fails.
    service = serve(one(f"items: {GOOD}, runs: [{{items: {BAD}, duration: 0}}]"))
    assert gate.run(service.url, *V5, START).code == 1
    service = serve(one(f"items: {BAD}, runs: [{{items: {GOOD}, duration: 0}}]"))
    outcome = gate.run(service.url, *V5, START)
    assert outcome.code == 0
    outcome.says("it has the ID of the started pre-check")


def test_what_is_left_out_of_the_answer_to_a_start_was_not_started(
    gate: Gate, serve: Serve
) -> None:
    scenario = f"""
version: 1
tasks:
  - {{id: {ID}, items: {GOOD}}}
  - {{id: {OTHER}, items: {GOOD}, start_error: {{code: X.1}}}}
"""
    outcome = gate.run(serve(scenario).url, *V5, START, tasks=[ID, OTHER])
    assert outcome.code == 4
    assert outcome.verdicts() == {ID: "passed", OTHER: "error"}


def fleet(size: int, extra: str = "") -> tuple[str, list[str], list[str]]:
    tasks = [task_id(number) for number in range(size)]
    lines = "\n".join(f"  - {{id: {one}, items: {GOOD}}}" for one in tasks)
    queries = [f"--query-id={one}={one}" for one in tasks]
    return f"\nversion: 1\ntasks:\n{lines}\n{extra}\n", tasks, queries


def test_many_tasks_are_asked_at_once_within_the_rate(gate: Gate, serve: Serve) -> None:
    scenario, tasks, queries = fleet(25)
    service = serve(scenario)
    outcome = gate.run(service.url, *V5, *queries, "--no-details", tasks=tasks)
    assert outcome.code == 0
    asked = [record.jobs for record in service.requests]
    assert sorted(asked) == sorted((task,) for task in tasks)
    # At ten a second, the clock of the test moves by at least so much.
    assert outcome.report["service"]["seconds"] >= 2.4


@pytest.mark.parametrize("fault", ["status: 503", "kind: garbage", "status: 429"])
def test_a_fault_of_one_task_costs_the_others_nothing(gate: Gate, serve: Serve, fault: str) -> None:
    scenario, tasks, queries = fleet(6)
    extra = f"faults: [{{when: {{task: {tasks[2]}}}, {fault}}}]\n"
    outcome = gate.run(
        serve(scenario + extra).url,
        *V5,
        *queries,
        "--timeout",
        "3m",
        "--max-staleness",
        "5m",
        tasks=tasks,
    )
    assert outcome.code in (3, 4)
    verdicts = outcome.verdicts()
    assert verdicts.pop(tasks[2]) in ("error", "incomplete")
    assert set(verdicts.values()) == {"passed"}


def test_an_unknown_task_is_in_error_alone(gate: Gate, serve: Serve) -> None:
    queries = [f"--query-id={task}={task}" for task in (ID, OTHER)]
    outcome = gate.run(serve(one(f"items: {GOOD}")).url, *V5, *queries, tasks=[ID, OTHER])
    assert outcome.code == 4
    assert outcome.verdicts() == {ID: "passed", OTHER: "error"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_access_that_is_refused_ends_the_run(gate: Gate, serve: Serve, status: int) -> None:
    scenario = one(f"items: {GOOD}", f"faults: [{{status: {status}}}]")
    outcome = gate.run(serve(scenario).url, *V5, *QUERY)
    assert outcome.code == 4
    outcome.says(f"HTTP {status}")


def test_what_was_skipped_in_drs_is_seen(gate: Gate, serve: Serve) -> None:
    skipped = "[{item: srcDbBinlogIsOff, result: FAILED, is_skipped: true}, {item: a}]"
    url = serve(one(f"items: {skipped}, result: true")).url
    outcome = gate.run(url, *V5, *QUERY)
    assert outcome.report["verdict"] == "passed_with_warnings"
    # In v3 nothing says so: the same is a contradiction there.
    assert gate.run(url, "--api", "v3").code == 1


def test_what_could_be_skipped_blocks_all_the_same(gate: Gate, serve: Serve) -> None:
    items = "[{item: srcDbBinlogIsOff, result: FAILED, is_support_skip: true}]"
    outcome = gate.run(serve(one(f"items: {items}")).url, *V5, *QUERY)
    assert outcome.code == 1
    outcome.reports("DRS would let it be skipped")


def test_v5_takes_over_where_v3_is_gone(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {GOOD}, duration: 20s", "apis: [v5]"))
    outcome = gate.run(service.url, *QUERY)
    assert outcome.code == 0
    outcome.says("API v3 is not available here")
    old, *new = paths(service)
    assert old.startswith("/v3/")
    assert all(path.startswith("/v5/") for path in new)


def test_v5_takes_over_for_a_start_too(gate: Gate, serve: Serve) -> None:
    run = f"items: {BAD}, runs: [{{items: {GOOD}, duration: 20s}}]"
    assert gate.run(serve(one(run, "apis: [v5]")).url, START).code == 0


def test_v5_takes_over_for_a_selection(gate: Gate, serve: Serve) -> None:
    url = serve(one(f"items: {GOOD}, name: orders", "apis: [v5]")).url
    options = ("--select=name=ord*", "--select=type=migration", START)
    assert gate.run(url, *options, tasks=[]).report["requested"] == [ID]
    assert gate.run(url, "--select=tag:wave=3", tasks=[]).code == 2


def test_where_neither_is_there_the_run_ends(gate: Gate, serve: Serve) -> None:
    url = serve(one(f"items: {GOOD}", "faults: [{when: {call: any}, status: 404}]")).url
    for more in ((), QUERY, (START,)):
        assert gate.run(url, *more).code == 4


def test_without_a_query_id_a_404_stays_what_it_is(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {GOOD}", "apis: [v5]"))
    outcome = gate.run(service.url)
    assert outcome.code == 4
    outcome.says("APIGW.0101", "Check --endpoint", "v5 needs --start-precheck or --query-id")
    assert len(service.requests) == 1


def test_v3_alone_does_not_fall_back(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {GOOD}", "apis: [v5]"))
    assert gate.run(service.url, "--api", "v3", START).code == 4
    assert all(path.startswith("/v3/") for path in paths(service))


@pytest.mark.parametrize(
    "options",
    [
        ["--query-id", "x=y"],
        ["--query-id", f"{ID}="],
        ["--query-id", f"{ID}=a", "--query-id", f"{ID}=b"],
        ["--query-id", f"{ID}=a", "--api", "v3"],
        ["--api", "v5", "--save-answers", "answers"],
    ],
)
def test_options_that_make_no_sense(gate: Gate, serve: Serve, options: list[str]) -> None:
    service = serve(one(f"items: {GOOD}"))
    with contextlib.suppress(click.UsageError):
        assert gate.run(service.url, *options).code == 2
    assert not service.requests


def test_answers_that_cannot_be_saved_leave_no_green(
    gate: Gate, serve: Serve, tmp_path: Any
) -> None:
    url = serve(one(f"items: {GOOD}", "apis: [v5]")).url
    outcome = gate.run(url, *QUERY, "--save-answers", str(tmp_path / "answers"))
    assert outcome.code == 5
