"""Items that have no status yet: waited for within the grace, also at 100 %."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Snapshot
from precheck_gate.model.verdicts import Verdict
from tests.support.fakes import FakeClock
from tests.support.harness import (
    TASK,
    body,
    entry,
    item,
    poll,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE_YET = [item(result=""), item(result=None), without(item(), "result")]


def snapshot(*items: dict[str, Any]) -> Snapshot:
    read = parse_answer(body(entry(items=list(items)))).entries[TASK]
    assert isinstance(read, Snapshot)
    return read


@pytest.mark.parametrize("status", NONE_YET)
def test_an_item_without_a_status_is_unfinished(status: dict[str, Any]) -> None:
    seen = snapshot(item(), status)
    assert [one.unfinished for one in seen.items] == [False, True]
    assert seen.unfinished


@pytest.mark.parametrize("status", ["PASSED", "passed", " ", "RUNNING", 0, False, [], {}])
def test_any_word_of_the_service_is_a_status(status: object) -> None:
    assert not snapshot(item(result=status)).unfinished
    assert not snapshot().unfinished


@pytest.mark.parametrize("status", NONE_YET)
def test_a_status_that_comes_within_the_grace_counts(status: dict[str, Any]) -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        return body(entry(items=[item(), item() if now > 30 else status]))

    polled = poll(FakeClock(), script, grace=60.0)
    assert polled.judged().verdict is Verdict.PASSED
    assert 30 < polled.elapsed < 40


@pytest.mark.parametrize("status", NONE_YET)
def test_a_status_that_never_comes_is_judged_after_the_grace(status: dict[str, Any]) -> None:
    polled = poll(FakeClock(), lambda *_: body(entry(items=[item(), status])), grace=60.0)
    judged = polled.judged()
    assert not judged.verdict.green
    assert polled.elapsed == pytest.approx(60.0, abs=5.0)
    assert polled.poller.observations()[0].trouble is None


def test_the_grace_begins_anew_when_all_statuses_were_there() -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        there = 40 < now < 50
        waiting = item(result="")
        # At 99 % in between, so that it is waited for.
        return body(entry(items=[item() if there else waiting], process="99%" if there else "100%"))

    polled = poll(FakeClock(), script, grace=60.0)
    assert polled.elapsed >= 50 + 60


def test_no_grace_means_no_second_request() -> None:
    polled = poll(FakeClock(), lambda *_: body(entry(items=[item(result="")])), grace=0.0)
    assert len(polled.service.asked) == 1


def test_a_deadline_within_the_grace_leaves_the_task_unfinished() -> None:
    polled = poll(FakeClock(), lambda *_: body(entry(items=[item(result="")])), timeout=20.0)
    judged = polled.judged()
    assert not judged.verdict.green
    assert judged.says("at 100 %, but some of its items have no status yet")
