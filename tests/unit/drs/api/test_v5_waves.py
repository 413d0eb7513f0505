"""Waves by API v5, which takes one request for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import task_id

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve

TASKS = [task_id(number) for number in range(80)]
LINES = "\n".join(f"  - {{id: {one}, items: [{{item: srcDbConnection}}]}}" for one in TASKS)
QUERIES = [f"--query-id={one}={one}" for one in TASKS]
MANNER = ("--no-details", "--max-staleness", "5s", "--timeout", "10m")


@pytest.mark.parametrize(("api", "extra"), [("v5", ""), ("auto", "apis: [v5]")])
def test_a_wave_that_cannot_be_confirmed_is_told_and_ends_after_one_confirming_sweep(
    gate: Gate, serve: Serve, api: str, extra: str
) -> None:
    service = serve(f"version: 1\ntasks:\n{LINES}\n{extra}\n")
    outcome = gate.run(service.url, "--api", api, *QUERIES, *MANNER, tasks=TASKS)
    assert outcome.code == 3
    outcome.says("takes about 8 s (80 requests, 0.1 s apart)", "--max-rps", "several jobs")
    asked = [task for record in service.requests for task in record.jobs]
    assert max(asked.count(task) for task in TASKS) <= 3


def test_a_wave_is_confirmed_where_the_rate_allows_it(gate: Gate, serve: Serve) -> None:
    service = serve(f"version: 1\ntasks:\n{LINES}\n")
    outcome = gate.run(
        service.url, "--api", "v5", *QUERIES, *MANNER, "--max-rps", "100", tasks=TASKS
    )
    assert outcome.code == 0
    assert "expected to end incomplete" not in outcome.text
