"""A result from before a start never counts, however else it is told after the start."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.starting import FreshResults, Proof, Starter, prove
from tests.support.gate import GOOD, START, one
from tests.support.harness import (
    TASK,
    Events,
    body,
    entry,
    item,
    task_id,
    without,
)
from tests.support.outcome import ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from tests.support.fakes import FakeClock
    from tests.support.gate import Gate, Serve

SUBS = [
    {"id": "s1", "name": "a", "check_result": "PASSED"},
    {"id": "s2", "name": "b", "check_result": "ALARM"},
]
ITEMS = [
    item("srcDbConnection"),
    item("srcDbBinlogIsOff", "ALARM", failed_reason="BINLOG_OFF", data="1", failed_sub_jobs=SUBS),
]
RUNNING = [item(result=""), item("b", None)]


def told(**more: Any) -> Snapshot:
    """Return what the service says of the task in such an entry."""
    snapshot = parse_answer(body(entry(**({"items": ITEMS} | more)))).entries[TASK]
    assert isinstance(snapshot, Snapshot)
    return snapshot


def items_with(**more: Any) -> list[dict[str, Any]]:
    return [ITEMS[0], ITEMS[1] | more]


OLD = told(total_passed_rate="100%", rds_instance_id="in01", job_direction="up")


@pytest.mark.parametrize(
    "now",
    [
        told(items=ITEMS[::-1]),
        told(process="100.0%"),
        told(process=100),
        told(items=items_with(data="2")),
        told(items=items_with(group="other")),
        told(items=[without(one, "group") for one in ITEMS]),
        told(items=items_with(failed_reason="BINLOG_OFF ")),
        told(items=items_with(raw_error_msg="at 12:00:01")),
        told(items=items_with(is_support_skip=True)),
        told(items=items_with(failed_sub_jobs=SUBS[::-1])),
        told(items=items_with(failed_sub_jobs=[SUBS[0] | {"name": "c"}, SUBS[1]])),
        told(total_passed_rate="100.0%"),
        told(rds_instance_id="in02"),
        told(job_direction=None),
    ],
)
def test_the_old_result_told_in_another_way_is_the_old_one(now: Snapshot) -> None:
    assert now != OLD
    assert prove(OLD, now, own=False) is None


@pytest.mark.parametrize(
    "now",
    [
        told(result=False),
        told(items=items_with(result="PASSED")),
        told(items=items_with(result="odd")),
        told(items=items_with(failed_reason="OTHER")),
        told(items=items_with(failed_sub_jobs=SUBS[:1])),
        told(items=items_with(failed_sub_jobs=[SUBS[0] | {"check_result": "FAILED"}, SUBS[1]])),
        told(items=ITEMS[:1]),
        told(items=[*ITEMS, ITEMS[0]]),
        told(items=items_with(item="another")),
    ],
)
def test_a_result_that_is_judged_in_another_way_is_a_new_one(now: Snapshot) -> None:
    assert prove(OLD, now, own=False) is Proof.CHANGED


def test_another_spelling_of_a_result_that_is_not_true_is_no_new_one() -> None:
    assert prove(told(result=False), told(result="true"), own=False) is None
    assert (
        prove(told(items=items_with(result="odd")), told(items=items_with(result=1)), own=False)
        is None
    )


@pytest.mark.parametrize("before", [None, "", "true", 1])
def test_a_result_that_was_neither_true_nor_false_may_become_so_by_itself(before: Any) -> None:
    assert prove(told(result=before), told(result=True), own=False) is None


def test_a_check_that_was_switched_off_meanwhile_is_no_new_result() -> None:
    # Somebody skips it in the console; that turns `result` without another pre-check.
    before = told(items=[item(result="FAILED")], result=False)
    now = told(items=[item(result="FAILED", is_skipped=True)], result=True)
    assert prove(before, now, own=False) is None


def test_an_old_result_whose_checks_had_not_all_ended_may_go_on_by_itself() -> None:
    assert prove(told(items=RUNNING), told(), own=False) is None
    # Nor does a result that lacks a status differ from the old one because of that.
    assert prove(OLD, told(items=[ITEMS[0], *RUNNING]), own=False) is None


def at(percent: float, *items: dict[str, Any]) -> Snapshot:
    return told(process=f"{percent}%", result=False, items=list(items))


@pytest.mark.parametrize(
    ("before", "now", "proof"),
    [
        # The same percent is no fall: somebody else's, which still stands where it stood.
        (at(50, item()), at(50, item()), None),
        (at(50, item()), at(49.9, item()), Proof.PROGRESS),
        (at(50, item()), at(50.1, item()), None),
        (at(50, item()), at(0), Proof.PROGRESS),
        # It ran already, at 0 %.
        (at(0, item()), at(40, item()), None),
        (at(0, item(result="")), at(40, item()), None),
        (at(0, *RUNNING), at(0, *RUNNING), None),
        (at(0, item()), at(0, item()), None),
        (at(0), at(40, item()), Proof.PROGRESS),
        (at(0), at(0, item()), Proof.PROGRESS),
        # Nothing has run yet.
        (at(0), at(0), None),
        # Nothing is known of before.
        (None, at(50, item()), None),
        (None, at(1, item()), None),
        (None, at(0, item()), None),
        (None, at(0), None),
        # All that it will say is of checks that had not ended after the start.
        (None, at(0, *RUNNING), Proof.PROGRESS),
        (None, at(1, *RUNNING), None),
    ],
)
def test_progress_proves_a_result_only_where_it_cannot_be_somebody_elses(
    before: Snapshot | None, now: Snapshot, proof: Proof | None
) -> None:
    assert prove(before, now, own=False) is proof


class Service:
    """Says what it is told to, answer by answer; starts whatever it is asked to start."""

    def __init__(self, clock: FakeClock, *answers: Answer) -> None:
        self._answers = list(answers)
        self.starts = 0
        self.refuses = False
        retrier = Retrier(clock, Backoff(lambda: 1.0), RetryBudget(), Events(), 10.0)
        self.fresh = FreshResults(self, Starter(self, retrier, "forStartJob"))

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        return self._answers.pop(0)

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        self.starts += 1
        if self.refuses and self.starts > 1:
            return dict.fromkeys(modes, Trouble(TroubleKind.TASK_ERROR, "busy"))
        return dict.fromkeys(modes, "")

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        return {}

    def results(self, count: int) -> list[str]:
        """Return what the first look and the answers after the start amount to."""
        assert not self.fresh.begin([TASK], 100.0)
        return [self._gist(self.fresh.precheck_results([TASK], 10.0)) for _ in range(count)]

    @staticmethod
    def _gist(answer: Answer) -> str:
        match answer.entries.get(TASK):
            case Trouble() as trouble:
                return trouble.kind.value
            case Snapshot() as snapshot:
                return f"{snapshot.progress}"
            case None:
                return "-"


def says(snapshot: Snapshot | None, *, own: bool = False) -> Answer:
    answer = parse_answer(body())
    entries: dict[str, Snapshot | Trouble] = {} if snapshot is None else {TASK: snapshot}
    return replace(answer, entries=entries, own=frozenset([TASK] if own else ()))


UNSAID = says(None)
REFUSED = replace(UNSAID, entries={TASK: Trouble(TroubleKind.TASK_ERROR, "no", code="DRS.1")})


@pytest.mark.parametrize("before", [UNSAID, REFUSED], ids=["unsaid", "refused"])
def test_what_is_seen_on_its_way_without_a_look_before_is_not_shown_to_be_new(
    clock: FakeClock, before: Answer
) -> None:
    service = Service(clock, before, says(at(50, item())), says(at(70, item())), says(OLD))
    assert service.results(3) == ["50", "70", "outdated"]


@pytest.mark.parametrize(
    "sights",
    [
        [at(0), at(30, item())],
        [at(0), at(0), at(1, item())],
        [at(0, *RUNNING)],
        [OLD, at(30, item())],
        [at(60, item()), at(30, item())],
        [at(60, item()), told(process="odd"), at(30, item())],
    ],
)
def test_a_precheck_that_is_seen_to_begin_after_the_start_counts_without_a_look_before(
    clock: FakeClock, sights: list[Snapshot]
) -> None:
    service = Service(clock, UNSAID, *map(says, sights), says(OLD))
    assert service.results(len(sights) + 1)[-1] == "100"
    assert "progress was seen" in service.fresh.remarks()[0]


def test_a_result_that_follows_on_nothing_at_all_was_never_seen_to_run(clock: FakeClock) -> None:
    assert Service(clock, UNSAID, says(at(0)), says(OLD)).results(2) == ["0", "outdated"]


def test_an_end_of_somebody_elses_is_no_change(clock: FakeClock) -> None:
    other = told(items=items_with(result="FAILED"))
    service = Service(clock, says(at(50, item())), says(OLD), says(other), says(OLD))
    service.refuses = True
    assert service.results(3) == ["outdated"] * 3


def test_a_difference_that_is_gone_again_proves_nothing(clock: FakeClock) -> None:
    # An answer with an item too few must not make the old result count for ever after.
    short = told(items=ITEMS[:1])
    service = Service(clock, says(OLD), says(short), says(OLD))
    assert service.results(2) == ["100", "outdated"]


def test_an_id_proves_the_result_that_bears_it_and_no_other(clock: FakeClock) -> None:
    service = Service(clock, says(OLD), says(OLD, own=True), says(OLD))
    assert service.results(2) == ["100", "outdated"]


@pytest.mark.parametrize("before", [UNSAID, says(at(50, item()))], ids=["unsaid", "running"])
def test_a_precheck_that_was_not_seen_to_begin_is_started_once_more(
    clock: FakeClock, before: Answer
) -> None:
    sights = [at(60, item()), OLD, at(20, item()), OLD]
    service = Service(clock, before, *map(says, sights))
    assert service.results(4) == ["60", "outdated", "20", "100"]
    assert service.starts == 2


def test_a_precheck_is_started_no_more_than_once_more(clock: FakeClock) -> None:
    service = Service(clock, UNSAID, *[says(OLD)] * 5)
    assert service.results(5) == ["outdated"] * 5
    assert service.starts == 2


def test_a_second_start_that_is_refused_is_not_tried_again(clock: FakeClock) -> None:
    service = Service(clock, UNSAID, *[says(OLD)] * 4)
    service.refuses = True
    assert service.results(4) == ["outdated"] * 4
    assert service.starts == 2


def test_an_old_result_that_was_known_is_no_reason_to_start_again(clock: FakeClock) -> None:
    service = Service(clock, *[says(OLD)] * 5)
    assert service.results(4) == ["outdated"] * 4
    assert service.starts == 1


LATER = "missing: {from: 0s, to: 3s}"


def test_somebody_elses_green_precheck_does_not_count_where_the_look_brought_nothing(
    gate: Gate, serve: Serve
) -> None:
    # Somebody else's runs already, and is shown on; the look did not answer for the task.
    scenario = one(
        f"items: {GOOD}, progress: [{{at: 0, percent: 40}}, {{at: 60s, percent: 100}}], lag: 2h, "
        f"{LATER}"
    )
    outcome = gate.run(serve(scenario).url, START, "--timeout", "10m")
    assert outcome.code == 3
    outcome.says("nothing proves that this result is of the pre-check that this run started")


def test_the_first_precheck_of_a_task_counts(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(one(f"items: {GOOD}, duration: 20s, started: false")).url, START)
    assert outcome.code == 0


def test_each_batch_of_a_wave_is_seen_as_its_prechecks_begin(gate: Gate, serve: Serve) -> None:
    # In a large wave, the first ones would have been on their way for long when first seen.
    tasks = [task_id(number) for number in range(23)]
    lines = "\n".join(
        f"  - {{id: {name}, items: {GOOD}, duration: 5m, started: false}}" for name in tasks
    )
    service = serve(f"\nversion: 1\ntasks:\n{lines}\n")
    outcome = gate.run(service.url, START, "--max-rps", "0.5", tasks=tasks)
    assert outcome.code == 0


def test_the_old_result_in_another_order_is_incomplete_at_the_end(gate: Gate, serve: Serve) -> None:
    shown, again = "[{item: a}, {item: b, data: x}]", "[{item: b, data: y}, {item: a}]"
    scenario = one(f"items: {shown}, runs: [{{items: {again}, duration: 0}}]")
    outcome = gate.run(serve(scenario).url, START, "--timeout", "5m")
    assert outcome.code == 3
    assert outcome.verdicts() == {ID: "incomplete"}


def test_a_first_precheck_that_is_under_way_at_the_first_sight_passes_in_the_end(
    gate: Gate, serve: Serve
) -> None:
    progress = "progress: [{at: 0, percent: 30}, {at: 20s, percent: 100}]"
    service = serve(one(f"items: {GOOD}, {progress}, started: false"))
    assert gate.run(service.url, START, "--timeout", "10m").code == 0
    assert len([one for one in service.requests if one.path.endswith("/jobs/batch-precheck")]) == 2
