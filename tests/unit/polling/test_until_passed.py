"""`run --until passed`: waits on after a blocked result, and starts again where that is wanted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tests.support.gate import BAD, GOOD, START, calls, one
from tests.support.outcome import ID

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve

UNTIL = ("--until", "passed")
# Somebody mends it and runs it again, two minutes later.
MENDED = "progress: [{at: 0, percent: 100}, {at: 2m, percent: 10}, {at: 3m, percent: 100}]"


def test_it_waits_until_the_precheck_passes(gate: Gate, serve: Serve) -> None:
    run = f"runs: [{{items: {BAD}, duration: 20s}}, {{items: {GOOD}, duration: 20s}}]"
    service = serve(one(f"items: {BAD}, {run}"))
    outcome = gate.run(service.url, *UNTIL, START, "--restart-every", "5m")
    assert outcome.code == 0
    first, second = calls(service, "batch-precheck")
    assert second.moment - first.moment >= 300
    outcome.says("result false", f"started the pre-check of task {ID} again", "result true")


def test_it_asks_gently_meanwhile(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {BAD}"))
    outcome = gate.run(service.url, *UNTIL, "--timeout", "10m")
    assert outcome.code == 1
    moments = [call.moment for call in calls(service, "batch-precheck-result")]
    assert len(moments) <= 22
    assert all(later - before >= 29 for before, later in itertools.pairwise(moments))
    assert 570 <= outcome.report["service"]["seconds"] <= 600


def test_a_blocked_result_at_the_deadline_is_blocked_and_not_stale(
    gate: Gate, serve: Serve
) -> None:
    url = serve(one(f"items: {BAD}")).url
    assert gate.run(url, *UNTIL, "--timeout", "5m", "--max-staleness", "5s").code == 1


def test_a_failed_restart_is_told_and_the_old_result_stays_blocked(
    gate: Gate, serve: Serve
) -> None:
    refused = "start_error: {code: X.1, message: not now}"
    url = serve(one(f"items: {BAD}, {refused}")).url
    outcome = gate.run(url, *UNTIL, "--restart-every", "2m", "--timeout", "5m")
    assert outcome.code == 1
    outcome.says("was not started again", "not now")


def test_an_old_green_after_a_restart_does_not_count(gate: Gate, serve: Serve) -> None:
    # The second run would pass; what is shown stays the first, blocked one: nothing is green.
    url = serve(one(f"items: {BAD}, lag: 2h, runs: [{{items: {GOOD}}}]")).url
    outcome = gate.run(url, *UNTIL, "--restart-every", "6m", "--timeout", "10m")
    assert outcome.code == 3


def test_it_falls_back_and_passes_by_itself(gate: Gate, serve: Serve) -> None:
    url = serve(one(f"items: {GOOD}, {MENDED}")).url
    assert gate.run(url, *UNTIL).code == 0


def test_restarting_without_waiting_is_refused(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {GOOD}"))
    assert gate.run(service.url, "--restart-every", "5m").code == 2
    assert not service.requests
