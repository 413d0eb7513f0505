"""What looks like a new pre-check and may be somebody else's; and what tells sub-tasks apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.polling.starting import Proof, prove
from tests.support.harness import item
from tests.unit.polling.test_old_results import (
    OLD,
    RUNNING,
    Service,
    at,
    says,
    told,
)

if TYPE_CHECKING:
    from precheck_gate.model.snapshots import Snapshot
    from tests.support.fakes import FakeClock


@pytest.mark.parametrize("checks", [[item(), *RUNNING], [*RUNNING, item()], [RUNNING[0], item()]])
def test_a_run_of_which_a_check_has_ended_may_have_begun_before_the_start(
    clock: FakeClock, checks: list[dict[str, object]]
) -> None:
    assert prove(None, at(0, *checks), own=False) is None
    service = Service(clock, says(None), says(at(0, *checks)), says(OLD))
    assert service.results(2) == ["0", "outdated"]


def test_a_run_that_had_begun_before_the_start_is_not_shown_to_be_new_by_going_on(
    clock: FakeClock,
) -> None:
    service = Service(clock, says(at(0, *RUNNING)), says(at(0, *RUNNING)), says(OLD))
    assert service.results(2) == ["0", "outdated"]


def with_subs(*subs: tuple[str, str]) -> Snapshot:
    sent = [{"name": name, "check_result": status} for name, status in subs]
    return told(items=[item(failed_sub_jobs=sent)])


def test_sub_tasks_without_an_id_are_told_apart_by_their_names() -> None:
    before = with_subs(("a", "PASSED"), ("b", "FAILED"))
    assert prove(before, with_subs(("b", "FAILED"), ("a", "PASSED")), own=False) is None
    swapped = with_subs(("a", "FAILED"), ("b", "PASSED"))
    assert prove(before, swapped, own=False) is Proof.CHANGED
