"""A refused batch is asked for in parts, until all tasks are answered or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.errors import BatchRefused, TransientFault
from precheck_gate.polling.retries import ask_in_parts, batches

TASKS = tuple("abcdefghij")


class Service:
    """Refuses requests with a bad task in them, or with too many tasks."""

    def __init__(self, bad: set[str], *, named: bool = False, most: int = len(TASKS)) -> None:
        self.bad, self.named, self.most = bad, named, most
        self.requests: list[tuple[str, ...]] = []
        self.answered: list[str] = []
        self.refused: list[str] = []

    def ask(self, batch: tuple[str, ...]) -> None:
        self.requests.append(batch)
        bad = self.bad & set(batch)
        if bad or len(batch) > self.most:
            raise BatchRefused(
                "refused", culprits=dict.fromkeys(bad, ("X", "no")) if self.named else {}
            )
        self.answered.extend(batch)

    def accuse(self, task_id: str, _: BatchRefused) -> None:
        self.refused.append(task_id)


@given(st.sets(st.sampled_from(TASKS)), st.booleans(), st.integers(1, 10))
def test_each_task_is_answered_once_or_refused_once(bad: set[str], named: bool, most: int) -> None:
    service = Service(bad, named=named, most=most)
    ask_in_parts(TASKS, service.ask, service.accuse)
    assert sorted(service.refused) == sorted(bad)
    assert sorted(service.answered) == sorted(set(TASKS) - bad)


@given(st.sets(st.sampled_from(TASKS)))
def test_by_deduction_the_same_tasks_are_refused_in_fewer_requests(bad: set[str]) -> None:
    certain, deduced = Service(bad), Service(bad)
    ask_in_parts(TASKS, certain.ask, certain.accuse)
    ask_in_parts(TASKS, deduced.ask, deduced.accuse, deduce=True)
    assert deduced.refused == certain.refused
    assert deduced.answered == certain.answered
    assert len(deduced.requests) <= len(certain.requests)


@pytest.mark.parametrize("bad", TASKS)
def test_one_bad_task_costs_few_requests(bad: str) -> None:
    service, deduced = Service({bad}), Service({bad})
    ask_in_parts(TASKS, service.ask, service.accuse)
    ask_in_parts(TASKS, deduced.ask, deduced.accuse, deduce=True)
    assert len(service.requests) <= 7
    assert len(deduced.requests) <= 6


def test_any_other_error_ends_it() -> None:
    def ask(batch: tuple[str, ...]) -> None:
        raise BatchRefused("refused") if len(batch) == 10 else TransientFault("down")

    with pytest.raises(TransientFault):
        ask_in_parts(TASKS, ask, lambda *_: None)


def test_nothing_is_asked_for_no_task() -> None:
    service = Service(set())
    ask_in_parts((), service.ask, service.accuse)
    assert service.requests == []


def test_batches_have_at_most_ten_tasks_in_their_order() -> None:
    assert batches([*TASKS, "k"]) == [TASKS, ("k",)]
    assert batches([]) == []
