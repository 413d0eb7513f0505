"""Values as JSON and back: the same again, and nothing of another type."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from precheck_gate.documents import strict_json
from precheck_gate.model.json_values import from_json, to_json


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    name: str
    share: Decimal | None = None


@dataclass(frozen=True)
class Outer:
    colour: Colour
    inner: Inner
    more: tuple[Inner, ...] = ()
    point: tuple[float, int] = (0.0, 0)
    known: bool = False
    names: dict[str, str] = field(default_factory=dict)


FULL = Outer(
    Colour.RED,
    Inner("a\ud800\u2028", Decimal("99.90")),
    (Inner("b"), Inner("c", Decimal(100))),
    (0.1, 3),
    known=True,
    names={"x": "y"},
)
SPELT: dict[str, Any] = to_json(FULL)


@pytest.mark.parametrize("value", [FULL, Outer(Colour.RED, Inner(""))])
def test_a_value_is_the_same_again(value: Outer) -> None:
    text = json.dumps(to_json(value)).encode()
    assert from_json(Outer, strict_json.loads(text)) == value


def test_what_is_at_its_default_is_left_out() -> None:
    value = Outer(Colour.RED, Inner("a"))
    assert to_json(value) == {"colour": "red", "inner": {"name": "a"}}


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "green"},
        {"colour": None},
        {"colour": ["red"]},
        {"inner": None},
        {"inner": []},
        {"inner": {}},
        {"inner": {"name": 1}},
        {"inner": {"name": None}},
        {"inner": {"name": "a", "share": 1}},
        {"inner": {"name": "a", "share": "much"}},
        {"inner": {"name": "a", "other": ""}},
        {"more": {}},
        {"more": "abc"},
        {"more": ["abc"]},
        {"point": [1]},
        {"point": [1, 2, 3]},
        {"point": [1, True]},
        {"point": [1, Decimal("1.5")]},
        {"point": ["1", 1]},
        {"point": [True, 1]},
        {"known": 1},
        {"known": "true"},
        {"names": []},
        {"names": {"x": 1}},
        {"another": 1},
    ],
)
def test_a_value_of_another_type_is_refused(change: dict[str, Any]) -> None:
    assert from_json(Outer, SPELT) == FULL
    with pytest.raises(ValueError, match=r"."):
        from_json(Outer, SPELT | change)


@pytest.mark.parametrize("value", [None, [], "", 1, {}, {"colour": "red"}])
def test_what_is_no_such_object_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="its fields are not those of the type Outer"):
        from_json(Outer, value)
