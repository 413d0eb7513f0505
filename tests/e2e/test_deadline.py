"""What ``--timeout`` cuts off is incomplete, wherever it falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.outcome import task_id

if TYPE_CHECKING:
    from tests.e2e.conftest import Gate, Serve

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
