"""What is told of globs without a text at hand is never wrong, tried with many texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precheck_gate.model.snapshots import is_task_id
from precheck_gate.policy.globs import can_be_task_id, covers, covers_all, may_meet, respell
from precheck_gate.policy.model import Patterns
from tests.support.harness import TASK

_globs = st.text("ab*?[]!-c^\\", min_size=1, max_size=7)
_texts = st.text("abc[]*?!-^\\", max_size=7)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("*", "anything"),
        ("**", "?[a-z]*"),
        ("src*", "srcDb*"),
        ("src*", "srcDbBinlogIsOff"),
        ("src*Check", "srcBinlog*RowCheck"),
        ("?*", "a*"),
        ("[ab]*", "a*"),
        ("a*c", "a[xy]c"),
        ("*a*", "*ba*"),
        ("[a-z]", "[a-z]"),
    ],
)
def test_a_glob_that_covers(wide: str, narrow: str) -> None:
    assert covers(Patterns([wide]), Patterns([narrow]))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("src*", "*"),
        ("src*", "sr*"),
        ("srcDb", "srcDb*"),
        ("?", "*"),
        ("?", "ab"),
        ("[ab]", "c"),
        ("[ab]", "?"),
        ("a*", "[ab]*"),
        ("[ab]c", "[ab]c*"),
        ("SRC*", "srcDb"),
        ("a?c", "a[xy]c"),  # which matches a text of six letters, too: its own
    ],
)
def test_a_glob_that_does_not_cover(wide: str, narrow: str) -> None:
    assert not covers(Patterns([wide]), Patterns([narrow]))


def test_lists_and_nothing_at_all() -> None:
    some, star = Patterns(["a", "b*"]), Patterns(["x", "*"])
    assert covers(None, None)
    assert covers(None, some)
    assert covers(star, None)
    assert covers(some, Patterns(["bc", "a"]))
    assert not covers(some, None)
    assert not covers(some, Patterns(["a", "c"]))
    assert covers_all(star)
    assert covers_all(None)
    assert not covers_all(some)


@settings(deadline=None)
@given(_globs, _globs, st.lists(_texts, max_size=20))
def test_what_covers_matches_whatever_the_other_matches(
    wide: str, narrow: str, texts: list[str]
) -> None:
    if covers(Patterns([wide]), Patterns([narrow])):
        for text in [*texts, wide, narrow, ""]:
            assert not Patterns([narrow]).match(text) or Patterns([wide]).match(text)


@settings(deadline=None)
@given(_globs, _globs, st.lists(_texts, max_size=20))
def test_what_never_meets_has_no_text_in_common(one: str, other: str, texts: list[str]) -> None:
    if not may_meet(Patterns([one]), Patterns([other])):
        for text in [*texts, one, other]:
            assert not (Patterns([one]).match(text) and Patterns([other]).match(text))


@pytest.mark.parametrize(
    "pattern",
    ["*", TASK, "140b5236-*", "*jb101", "????????-*", "?" * 36, "[0-9]*", "*-88ad-*", "[!-]*"],
)
def test_a_pattern_that_a_task_can_have(pattern: str) -> None:
    assert can_be_task_id(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["orders", "orders-*", TASK[:-1], f"{TASK}?", "140b5236_*", "?" * 35, "*--*", "[-]*", "[b-a]*"],
)
def test_a_pattern_that_no_task_can_have(pattern: str) -> None:
    assert not can_be_task_id(pattern)


@settings(deadline=None)
@given(st.data())
def test_a_pattern_that_matches_a_task_is_never_said_to_match_none(data: st.DataObject) -> None:
    signs = list(TASK)
    for at in data.draw(st.lists(st.integers(0, 35), max_size=8)):
        signs[at] = data.draw(st.sampled_from(["*", "?", "[!x]", "[0-9a-z-]", signs[at]]))
    pattern = "".join(signs)
    assert is_task_id(TASK)
    if Patterns([pattern]).match(TASK):
        assert can_be_task_id(pattern)


@settings(deadline=None)
@given(_globs, st.lists(_texts, max_size=20))
def test_another_spelling_matches_the_same_texts(pattern: str, texts: list[str]) -> None:
    taken = [pattern]
    for _ in range(3):
        other = respell(pattern, taken)
        if other is None:
            assert not set("*?ab") & set(pattern) or "[" in pattern
            return
        assert other not in taken
        taken.append(other)
        one, two = Patterns([pattern]), Patterns([other])
        for text in texts:
            if text not in taken:
                assert one.match(text) == two.match(text), other
