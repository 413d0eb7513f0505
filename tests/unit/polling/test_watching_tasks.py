"""What is known of a task while it is polled: its steps, and troubles that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import AccessRefused, BatchRefused, TimeOver, TransientFault
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.events import TaskChanged
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.timing import FixedCadence, Pace
from precheck_gate.polling.watch import Watch, accusation
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    Events,
    ScriptedService,
    body,
    entry,
    item,
    judge_observations,
    poll,
    task_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.harness import Reply

MANY = [task_id(number) for number in range(10)]


def refusing(bad: str, **more: str) -> Callable[[float, Sequence[str]], Reply]:
    """Return a service that refuses each batch with one task in it, and whose others run on."""

    def script(_: float, asked: Sequence[str]) -> Reply:
        if bad in asked:
            culprits = {bad: ("DRS.M00289", "does not exist")} if more.get("named") else {}
            return BatchRefused("refused", culprits=culprits)
        return body(*(entry(one, process="5%") for one in asked))

    return script


def snapshot_of(found: dict[str, Any]) -> Snapshot:
    snapshot = parse_answer(body(found)).entries[TASK]
    assert isinstance(snapshot, Snapshot)
    return snapshot


# Tasks in error


def test_a_task_in_error_is_asked_for_alone_from_then_on() -> None:
    bad = MANY[4]
    polled = poll(FakeClock(), refusing(bad, named="yes"), MANY, timeout=12.0)
    later = [asked for moment, asked in polled.service.asked if moment > 1]
    others = tuple(one for one in MANY if one != bad)
    assert later == [others, (bad,)] * 2


def test_without_grace_the_neighbour_of_a_bad_task_is_not_blamed() -> None:
    bad = MANY[1]

    def script(_: float, asked: Sequence[str]) -> Reply:
        return BatchRefused("refused") if bad in asked else body(*map(entry, asked))

    judged = poll(FakeClock(), script, MANY, grace=0.0).judged()
    assert [task.task_id for task in judged.tasks if not task.verdict.green] == [bad]


# Ended, but not accepted


def until_true(script: Callable[[float], bytes | Exception], **options: float) -> list[float]:
    """Poll until a result is true; return when the service was asked."""
    clock = FakeClock()
    service = ScriptedService(clock, lambda now, _: script(now))
    poller = Poller(
        service,
        clock,
        FixedCadence(5.0),
        PollOptions(**options),  # type: ignore[arg-type]
        Events(),
        lambda: 1.0,
        accepts=lambda snapshot: snapshot.raw_result == "true",
        parallel=clock.in_parallel,
    )
    poller.poll([TASK])
    assert judge_observations(poller.observations(), [TASK]).verdict is Verdict.PASSED
    return [moment for moment, _ in service.asked]


def test_an_ended_precheck_that_will_not_do_is_asked_for_gently() -> None:
    asked = until_true(lambda now: body(entry(result=now >= 60)), gentle=30.0)
    assert asked == [0.0, 30.0, 60.0]


def test_a_running_precheck_is_asked_for_at_the_usual_pace_whatever_its_result() -> None:
    def script(now: float) -> bytes:
        return body(entry(process="5%", result=False) if now < 20 else entry())

    assert until_true(script, gentle=30.0) == [0.0, 5.0, 10.0, 15.0, 20.0]


def test_a_task_that_the_service_leaves_out_is_asked_for_at_the_usual_pace() -> None:
    def script(now: float) -> bytes:
        return body() if 20 < now < 40 else body(entry(result=now > 40))

    assert until_true(script, gentle=30.0) == [0.0, 30.0, 35.0, 40.0, 70.0]


# No time left


@pytest.mark.parametrize("seconds", [50.0, 60.0])
def test_a_task_that_was_never_asked_for_is_incomplete(seconds: float) -> None:
    clock = FakeClock()
    tasks = [task_id(number) for number in range(11)]

    def script(_: float, asked: Sequence[str]) -> Reply:
        clock.advance(seconds)
        return body(*map(entry, asked))

    polled = poll(clock, script, tasks, timeout=50.0)
    assert len(polled.service.asked) == 1
    verdicts = [task.verdict for task in polled.judged().tasks]
    assert verdicts == [Verdict.PASSED] * 10 + [Verdict.INCOMPLETE]
    assert polled.poller.observations()[-1].trouble is None, "no request for it was cut off"


# Trouble that comes and goes


def test_the_end_of_trouble_is_told_even_where_the_result_is_the_one_before() -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        return body() if now == 5 else body(entry(process="5%"))

    events = poll(FakeClock(), script, timeout=12.0).events
    troubled = [event.trouble is not None for event in events.of(TaskChanged)]
    assert troubled == [False, True, False]


def test_trouble_that_goes_on_is_told_once() -> None:
    events = poll(FakeClock(), lambda *_: body(), timeout=20.0).events
    assert len(events.of(TaskChanged)) == 1


def test_the_grace_begins_anew_when_trouble_was_over() -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        return body(entry(process="5%")) if 40 < now < 50 else body()

    assert poll(FakeClock(), script, grace=60.0).elapsed >= 50 + 60


def test_the_grace_of_trouble_is_counted_from_its_first_moment() -> None:
    polled = poll(FakeClock(), lambda *_: body(), grace=60.0)
    assert [moment for moment, _ in polled.service.asked][-1] == 60.0


def test_an_item_without_a_status_costs_no_grace_while_the_precheck_runs() -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        late = [item(result="PASSED" if now >= 120 else "")]
        return body(entry(process="50%" if now < 100 else "100%", items=late))

    assert poll(FakeClock(), script, grace=60.0).judged().verdict is Verdict.PASSED


def test_a_deadline_in_the_middle_of_a_round_ends_no_grace() -> None:
    tasks = [task_id(number) for number in range(11)]

    def script(_: float, asked: Sequence[str]) -> Reply:
        waiting = [item(result="")]
        return (
            TimeOver("over")
            if tasks[10] in asked
            else body(*(entry(one, items=waiting) for one in asked))
        )

    observations = poll(FakeClock(), script, tasks).poller.observations()
    kinds = {one.trouble and one.trouble.kind for one in observations}
    assert kinds == {TroubleKind.UNFINISHED}


def test_trouble_at_the_confirmation_is_not_said_to_be_an_old_answer() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        if TASK in asked and now > 1:
            return body()
        return body(
            *(entry(one, process="100%" if one == TASK or now > 99 else "5%") for one in asked)
        )

    observations = poll(FakeClock(), script, (TASK, OTHER)).poller.observations()
    assert observations[0].trouble is not None
    assert observations[0].trouble.kind is TroubleKind.NOT_ANSWERED


def test_an_answer_as_old_as_may_be_is_not_confirmed() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(
            *(entry(one, process="5%" if one == OTHER and now < 60 else "100%") for one in asked)
        )

    polled = poll(FakeClock(), script, (TASK, OTHER), max_staleness=60.0)
    assert polled.judged().verdict is Verdict.PASSED
    assert polled.service.asked[-1] == (60.0, (OTHER,))


def test_a_fault_is_not_held_against_what_was_answered_in_the_same_turn() -> None:
    def script(_: float, asked: Sequence[str]) -> Reply:
        if len(asked) == 10:
            return BatchRefused("too many")
        return body(*map(entry, asked)) if MANY[0] in asked else TransientFault("throttled")

    observations = poll(FakeClock(), script, MANY, timeout=0.9).poller.observations()
    kinds = [one.trouble and one.trouble.kind for one in observations]
    assert kinds == [None] * 5 + [TroubleKind.SERVICE] * 5


def test_a_fault_is_held_against_what_was_answered_before_it() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        return body(entry(process="5%")) if now < 1 else TransientFault("throttled")

    (seen,) = poll(FakeClock(), script, timeout=30.0).poller.observations()
    assert seen.trouble is not None
    assert seen.trouble.kind is TroubleKind.SERVICE


WAITING = entry(items=[item(result="")])
STOPS: dict[str, tuple[bytes, Exception, TroubleKind | None]] = {
    "left out, then no access": (body(), AccessRefused("401"), TroubleKind.NOT_ANSWERED),
    "left out, then faults": (body(), TransientFault("503"), TroubleKind.NOT_ANSWERED),
    "left out, then no time": (body(), TimeOver("over"), TroubleKind.NOT_ANSWERED),
    "running, then no access": (
        body(entry(process="5%")),
        AccessRefused("401"),
        TroubleKind.SERVICE,
    ),
    "running, then faults": (
        body(entry(process="5%")),
        TransientFault("503"),
        TroubleKind.SERVICE,
    ),
    "running, then no time": (body(entry(process="5%")), TimeOver("over"), None),
    "no status, then no access": (body(WAITING), AccessRefused("401"), TroubleKind.SERVICE),
    "no status, then faults": (body(WAITING), TransientFault("503"), TroubleKind.SERVICE),
    "no status, then no time": (body(WAITING), TimeOver("over"), TroubleKind.UNFINISHED),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_the_service_said_of_a_task_itself_comes_before_how_the_run_ended(name: str) -> None:
    first, then, kind = STOPS[name]
    polled = poll(FakeClock(), lambda now, _: first if now < 1 else then, timeout=20.0)
    (seen,) = polled.poller.observations()
    assert (seen.trouble and seen.trouble.kind) == kind
    assert not polled.judged().verdict.green


def test_a_task_that_passed_still_counts_where_the_run_had_to_end() -> None:
    def script(now: float, asked: Sequence[str]) -> Reply:
        done = body(*(entry(one, process="100%" if one == TASK else "5%") for one in asked))
        return done if now < 1 else AccessRefused("401")

    passed, running = poll(FakeClock(), script, (TASK, OTHER)).poller.observations()
    assert passed.trouble is None
    assert running.trouble is not None


def test_an_old_result_is_waited_for_beyond_the_grace() -> None:
    for kind in TroubleKind:
        watch = Watch(TASK)
        watch.record_trouble(Trouble(kind, "not yet"), 0.0)
        watch.end_grace(59.0, 60.0)
        assert not watch.settled
        watch.end_grace(60.0, 60.0)
        assert watch.settled is (kind is not TroubleKind.OUTDATED)


def test_a_task_with_a_result_is_settled_until_it_is_in_trouble_again() -> None:
    trouble = Trouble(TroubleKind.NOT_ANSWERED, "not answered for")
    watch = Watch(TASK)
    watch.record_trouble(trouble, 0.0)
    watch.end_grace(60.0, 60.0)
    watch.see(snapshot_of(entry()), 70.0)
    assert watch.settled
    watch.record_trouble(trouble, 80.0)
    assert not watch.settled, "the grace begins anew"


def test_a_task_at_fault_has_what_was_said_of_it_or_else_of_the_batch() -> None:
    named = {MANY[0]: ("DRS.2", "it is gone"), MANY[1]: ("", " ")}
    refused = BatchRefused("refused", code="DRS.1", hint="Look.", culprits=named)
    troubles = [accusation(one, refused) for one in MANY[:3]]
    assert [(one.code, one.message) for one in troubles] == [
        ("DRS.2", "it is gone"),
        ("DRS.1", "refused"),
        ("DRS.1", "refused"),
    ]
    assert {(one.kind, one.hint) for one in troubles} == {(TroubleKind.TASK_ERROR, "Look.")}


def test_a_task_that_is_left_out_in_the_end_was_not_answered_for() -> None:
    content = (body(WAITING), body())
    polled = poll(FakeClock(), lambda now, _: content[now > 1], timeout=20.0)
    (seen,) = polled.poller.observations()
    assert seen.trouble is not None
    assert seen.trouble.kind is TroubleKind.NOT_ANSWERED


def test_a_task_that_was_cut_off_before_any_answer_is_unfinished() -> None:
    (seen,) = poll(FakeClock(), lambda *_: TimeOver("over")).poller.observations()
    assert seen.trouble is not None
    assert seen.trouble.kind is TroubleKind.UNFINISHED


# The steps


def test_the_timeline_has_each_step_of_progress_with_its_moment() -> None:
    steps = {0.0: "10%", 5.0: "10%", 10.0: "40%", 15.0: "30%", 20.0: "100%"}
    clock = FakeClock(1000.0)
    (seen,) = poll(
        clock, lambda now, _: body(entry(process=steps[now - 1000]))
    ).poller.observations()
    assert seen.timeline == ((0.0, 10.0), (10.0, 40.0), (15.0, 30.0), (20.0, 100.0))


def test_the_timeline_of_a_precheck_that_goes_up_and_down_for_ever_is_bounded() -> None:
    watch = Watch(TASK)
    for moment in range(1000):
        watch.see(snapshot_of(entry(process=f"{moment % 7}%")), float(moment))
        assert len(watch.timeline) <= 200
        assert watch.timeline[0] == (0.0, 0.0)
        assert watch.timeline[-1] == (float(moment), float(moment % 7))
    moments = [moment for moment, _ in watch.timeline]
    assert len(moments) >= 100
    assert moments == sorted(moments)


def test_of_too_many_steps_every_other_one_is_left_out_but_not_the_first_and_the_last() -> None:
    watch = Watch(TASK)
    for moment in range(201):
        watch.see(snapshot_of(entry(process=f"{moment % 2}%")), 1000.0 + moment)
    timeline = watch.observe(2000.0, 1000.0, 60.0, None).timeline
    assert [moment for moment, _ in timeline] == [*range(0, 200, 2), 199, 200]


def test_the_moments_of_the_timeline_are_told_to_a_tenth_of_a_second() -> None:
    watch = Watch(TASK)
    watch.see(snapshot_of(entry(process="5%")), 1000.26)
    assert watch.observe(1001.0, 1000.0, 60.0, None).timeline == ((0.3, 5.0),)


def test_the_pace_of_a_task_is_counted_from_where_its_progress_last_fell_back() -> None:
    steps: dict[float, str | None] = {
        0.0: "10%",
        5.0: "10%",
        10.0: "40%",
        15.0: "4%",
        20.0: "24%",
        25.0: None,
        30.0: "30%",
        35.0: "32%",
    }
    paces: list[Pace] = []

    class Noted:
        def delay(self, elapsed: float, pending: Sequence[Pace]) -> float:
            paces.extend(pending)
            assert elapsed == 5.0 * (len(paces) - 1)
            return 5.0

    clock = FakeClock(1000.0)
    poll(
        clock,
        lambda now, _: body(entry(process=steps.get(now - 1000, "100%"))),
        cadence=Noted(),
    )
    assert paces == [
        Pace(10.0, 0.0, 0.0),
        Pace(10.0, 5.0, 0.0),
        Pace(40.0, 10.0, 30.0),
        Pace(4.0, 0.0, 0.0),
        Pace(24.0, 5.0, 20.0),
        Pace(None, 0.0, 0.0),
        Pace(30.0, 0.0, 0.0),
        Pace(32.0, 5.0, 2.0),
    ]
