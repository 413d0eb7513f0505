"""Confirming what ended a while ago: once, the oldest first, and told where it cannot be done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.errors import TransientFault
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.events import Asked, Remarked
from tests.support.fakes import FakeClock
from tests.support.harness import body, entry, poll, task_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.harness import Polled, Reply


def tasks(number: int) -> list[str]:
    return [task_id(one) for one in range(number)]


def finished(
    clock: FakeClock, latency: float = 0.0, *, last: str = "", end: float = 0.0
) -> Callable[[float, Sequence[str]], Reply]:
    """Return a service where all has ended, but ``last``, which does at ``end``."""

    def script(now: float, asked: Sequence[str]) -> bytes:
        clock.advance(latency)
        return body(
            *(entry(one, process="99%" if one == last and now < end else "100%") for one in asked)
        )

    return script


def times_asked(polled: Polled) -> int:
    """Return how often the task was asked for that was asked for most often."""
    return max(Counter(one for _, asked in polled.service.asked for one in asked).values())


def warnings(polled: Polled) -> list[str]:
    return [remark for remark in polled.poller.remarks if "expected to end incomplete" in remark]


def test_a_wave_too_large_for_its_rate_is_told_before_the_first_request() -> None:
    clock = FakeClock()
    polled = poll(clock, finished(clock), tasks(1_000), pace=1.0)
    kinds = [type(event) for event in polled.events.seen]
    assert kinds.index(Remarked) < kinds.index(Asked)
    (warning,) = warnings(polled)
    assert "for 1000 tasks takes about 100 s (100 requests, 1 s apart)" in warning
    assert "longer than --max-staleness (60 s)" in warning
    assert all(way in warning for way in ("--max-rps", "--max-staleness", "several jobs"))


def test_a_wave_that_cannot_be_confirmed_ends_incomplete_after_one_confirming_sweep() -> None:
    clock = FakeClock()
    polled = poll(clock, finished(clock), tasks(1_000), timeout=3600.0, pace=1.0)
    assert polled.judged().verdict is Verdict.INCOMPLETE
    assert times_asked(polled) == 2
    assert polled.elapsed < 201


def test_a_wave_whose_answers_take_too_long_is_told_and_ends_after_one_confirming_sweep() -> None:
    clock = FakeClock()
    polled = poll(clock, finished(clock, 10.0), tasks(700), timeout=36_000.0)
    assert polled.judged().verdict is Verdict.INCOMPLETE
    assert times_asked(polled) == 2
    (warning,) = warnings(polled)
    assert "about 185 s (70 answers, 10 s each, 4 at a time)" in warning
    assert polled.elapsed < 900


@pytest.mark.parametrize(("number", "latency", "pace"), [(700, 1.0, 0.1), (400, 2.0, 1.0)])
def test_slow_answers_are_confirmed_side_by_side(number: int, latency: float, pace: float) -> None:
    clock = FakeClock()
    requested = tasks(number)
    script = finished(clock, latency, last=requested[-1], end=600.0)
    polled = poll(clock, script, requested, timeout=3600.0, pace=pace)
    assert polled.judged().verdict is Verdict.PASSED
    assert not warnings(polled)
    assert polled.elapsed < 665


@pytest.mark.parametrize("number", [620, 700, 1000, 1500])
def test_a_wave_that_ended_before_the_run_is_confirmed_too(number: int) -> None:
    clock = FakeClock()
    polled = poll(clock, finished(clock, 1.0), tasks(number), timeout=3600.0)
    assert polled.judged().verdict is Verdict.PASSED
    assert polled.elapsed < number / 10 * 1.5
    assert times_asked(polled) <= 2


class WatchedClock(FakeClock):
    """Notes how many batches were asked for at once."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []

    def in_parallel(self, work: Any, names: Any, width: int) -> Any:
        self.widths.append(len(names))
        return super().in_parallel(work, names, width)


@pytest.mark.parametrize(
    ("latency", "options", "widths"),
    [
        (0.05, {}, {1}),
        (1.0, {}, {1, 4}),
        (1.0, {"width": 1}, {1}),
        (1.0, {"pace": 2.0}, {1}),
    ],
)
def test_batches_are_confirmed_at_once_only_where_answers_take_longer_than_the_rate_requires(
    latency: float, options: dict[str, Any], widths: set[int]
) -> None:
    clock = WatchedClock()
    requested = tasks(400)
    script = finished(clock, latency, last=requested[-1], end=600.0)
    poll(clock, script, requested, **options)
    assert set(clock.widths) == widths


def test_after_a_fault_one_batch_is_confirmed_alone_before_several_are_at_once() -> None:
    clock = WatchedClock()
    requested = tasks(400)
    sound = finished(clock, 1.0, last=requested[-1], end=600.0)
    groups_until_the_fault: list[int] = []

    def script(now: float, asked: Sequence[str]) -> Reply:
        if now >= 600.0 and requested[-1] not in asked and not groups_until_the_fault:
            groups_until_the_fault.append(len(clock.widths))
            return TransientFault("down")
        return sound(now, asked)

    poll(clock, script, requested)
    (groups,) = groups_until_the_fault
    assert clock.widths[groups - 1 : groups + 2] == [4, 1, 4]


def test_only_what_is_too_old_is_confirmed_and_the_oldest_first() -> None:
    requested = tasks(5)
    # The third is seen to end first, then the first, the fourth and the others.
    ends = dict(zip(requested, (100.0, 290.0, 50.0, 200.0, 300.0), strict=True))

    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(*(entry(one, process="100%" if now >= ends[one] else "5%") for one in asked))

    polled = poll(FakeClock(), script, requested, batch_size=1, max_staleness=60.0)
    assert polled.judged().verdict is Verdict.PASSED
    confirmed = [asked[0] for moment, asked in polled.service.asked if moment > 300.0]
    assert confirmed[-3:] == [requested[2], requested[0], requested[3]]
    assert requested[1] not in confirmed[-3:]
    moments = [moment for moment, _ in polled.service.asked]
    assert moments[-1] - moments[-4] < 1.0, "they are confirmed at once"


@pytest.mark.parametrize(
    ("second_end", "latency", "pace", "confirmed"),
    [
        # The second will be too old when the first is confirmed: one request asks for both.
        (105.0, 0.0, 2.0, [("first", "second")]),
        # The answer for the first takes so long that the second is too old by then.
        (115.0, 20.0, 0.1, [("first",), ("second",)]),
    ],
)
def test_what_is_too_old_once_others_are_confirmed_is_confirmed_with_them_or_after_them(
    second_end: float, latency: float, pace: float, confirmed: list[tuple[str, ...]]
) -> None:
    clock = FakeClock()
    names = dict(zip(tasks(3), ("first", "second", "last"), strict=True))
    ends = {"first": 100.0, "second": second_end, "last": 165.0}

    def script(now: float, asked: Sequence[str]) -> bytes:
        if now > 165.0:
            clock.advance(latency)
        return body(
            *(entry(one, process="100%" if now >= ends[names[one]] else "5%") for one in asked)
        )

    polled = poll(clock, script, list(names), pace=pace)
    later = [
        tuple(map(names.__getitem__, asked)) for now, asked in polled.service.asked if now > 165
    ]
    assert later == confirmed
    assert polled.judged().verdict is Verdict.PASSED


def test_a_fault_in_a_confirming_sweep_gives_the_wave_another_one() -> None:
    clock = FakeClock()
    requested = tasks(100)
    confirming: list[float] = []

    def script(now: float, asked: Sequence[str]) -> Reply:
        if now >= 600.0 and requested[-1] not in asked:
            confirming.append(now)
            if len(confirming) > 3 and now < confirming[0] + 100.0:
                return TransientFault("down")
        return finished(clock, last=requested[-1], end=600.0)(now, asked)

    polled = poll(clock, script, requested, timeout=3600.0)
    assert polled.judged().verdict is Verdict.PASSED
    assert 100.0 <= polled.elapsed - confirming[0] < 200.0


def test_a_task_that_is_running_again_at_the_confirmation_is_waited_for() -> None:
    clock = FakeClock()
    first, last = tasks(2)

    def script(now: float, asked: Sequence[str]) -> bytes:
        running = {first: 290 < now < 900, last: now < 300}
        return body(*(entry(one, process="40%" if running[one] else "100%") for one in asked))

    polled = poll(clock, script, [first, last], timeout=3600.0)
    assert polled.judged().verdict is Verdict.PASSED
    assert 900 <= polled.elapsed < 920


def test_a_wave_that_can_be_confirmed_is_not_warned_of() -> None:
    clock = FakeClock()
    polled = poll(clock, finished(clock), tasks(590), pace=1.0)
    assert polled.judged().verdict is Verdict.PASSED
    assert not polled.poller.remarks
