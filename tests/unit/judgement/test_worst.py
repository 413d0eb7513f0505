"""The worst of the parts is the verdict of the whole, and of no parts at all there is no green."""

from __future__ import annotations

import itertools

import pytest

from precheck_gate.model.verdicts import Effect, Verdict, effect_of, worst

ORDER = [
    Verdict.PASSED,
    Verdict.PASSED_WITH_WARNINGS,
    Verdict.BLOCKED,
    Verdict.INCOMPLETE,
    Verdict.ERROR,
]


def test_nothing_at_all_is_an_error_and_never_a_pass() -> None:
    assert worst([]) is Verdict.ERROR
    assert worst(iter(())) is Verdict.ERROR


@pytest.mark.parametrize(("one", "other"), list(itertools.product(ORDER, ORDER)))
def test_of_two_the_worse_holds_in_either_order(one: Verdict, other: Verdict) -> None:
    expected = max(one, other, key=ORDER.index)
    assert worst([one, other]) is expected
    assert worst([other, one]) is expected


def test_only_the_first_two_are_green() -> None:
    assert [verdict.green for verdict in ORDER] == [True, True, False, False, False]


def test_whatever_is_not_green_blocks() -> None:
    effects = [effect_of(verdict) for verdict in ORDER]
    assert effects == [Effect.ALLOW, Effect.WARN, Effect.BLOCK, Effect.BLOCK, Effect.BLOCK]


def test_of_two_effects_the_stricter_is_known() -> None:
    assert sorted(Effect, key=lambda one: one.strictness) == [
        Effect.ALLOW,
        Effect.WARN,
        Effect.BLOCK,
    ]
