"""The short form of JSON says what came: the same value, its numbers to the digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.documents.strict_json import compact, loads

texts = st.text(max_size=6) | st.sampled_from(["NaN", '"', '\\"', "\\", '"NaN', "NaN\\"])
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_it_reads_back_as_the_same_value(value: Any) -> None:
    text = compact(value).encode("utf-8", "surrogatepass")
    assert json.loads(text, parse_float=Decimal) == value


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("1.0", "1.0"),
        ('"1.0"', '"1.0"'),
        ("100.00001", "100.00001"),
        ("[1.50, 2]", "[1.50,2]"),
        ('{"NaN": 0.10}', '{"NaN":0.10}'),
        ("1e5", "1E+5"),
        ("-0.0", "-0.0"),
    ],
)
def test_numbers_are_shown_as_they_came_and_texts_as_texts(sent: str, shown: str) -> None:
    assert compact(loads(sent.encode())) == shown


def test_a_value_as_deep_as_one_can_be_read_is_shown() -> None:
    deep = b"[" * 500 + b"1.0" + b"]" * 500
    assert compact(loads(deep)) == deep.decode()


def test_what_is_not_json_is_shown_as_text() -> None:
    assert compact({"a": {1}}) == '{"a":"{1}"}'
