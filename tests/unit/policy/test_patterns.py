"""Patterns are values: what they match is what they are, and what is blank fits nobody for sure."""

from __future__ import annotations

import pytest

from precheck_gate.policy.model import Fit, Origin, Patterns, Required


def test_patterns_are_the_same_where_their_texts_are() -> None:
    one, same, other = Patterns(["a", "b*"]), Patterns(["a", "b*"]), Patterns(["a"])
    assert one == same
    assert len({one, same, other}) == 2
    assert one != other
    assert one != ("a", "b*")
    assert "b*" in repr(one)


@pytest.mark.parametrize(
    ("texts", "text", "matches"),
    [
        (["a", "b"], "b", True),
        (["a", "b"], "c", False),
        (["x?z"], "xyz", True),
        (["x*"], "x", True),
        (["[ab]c"], "bc", True),
        (["[ab]c"], "[ab]c", True),
        (["a", "x*"], "A", False),
        (["a.c"], "abc", False),
        (["x*"], "yx", False),
    ],
)
def test_one_of_the_texts_matches_as_it_is_or_as_a_glob(
    texts: list[str], text: str, matches: bool
) -> None:
    assert Patterns(texts).match(text) is matches
    assert Patterns(texts).fit(text) is (Fit.YES if matches else Fit.NO)


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_blank_text_fits_what_matches_anything_and_is_else_not_known(blank: str) -> None:
    assert Patterns(["*"]).fit(blank) is Fit.YES
    assert Patterns(["?*"]).fit(blank) is Fit.UNKNOWN
    assert Patterns(["a"]).fit(blank) is Fit.UNKNOWN


def test_what_fits_for_sure_holds_and_what_may_fit_holds_where_it_protects() -> None:
    assert [fit.holds(protects=True) for fit in Fit] == [False, True, True]
    assert [fit.holds(protects=False) for fit in Fit] == [False, False, True]


@pytest.mark.parametrize(
    ("task", "direction", "fit"),
    [
        (None, None, Fit.YES),
        (["1*"], None, Fit.YES),
        (["2*"], None, Fit.NO),
        (None, ["up"], Fit.YES),
        (None, ["down"], Fit.NO),
        (["1*"], ["down"], Fit.NO),
        (["2*"], ["up"], Fit.NO),
    ],
)
def test_a_requirement_applies_where_both_task_and_direction_fit(
    task: list[str] | None, direction: list[str] | None, fit: Fit
) -> None:
    required = Required(
        "item",
        Origin("policy.yaml", 1, "required_items[0]"),
        None if task is None else Patterns(task),
        None if direction is None else Patterns(direction),
    )
    assert required.applies("123", "up") is fit
