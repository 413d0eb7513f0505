"""Evidence is decoded where it parses, shortened sensibly, and never a reason to fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.reports.evidence import MAX_GIST, decode, gist
from precheck_gate.simulator.scenario import documented_answer


def _data(item: str) -> str:
    items = documented_answer("dds")["precheck_result"]
    return str(next(one["data"] for one in items if one["item"] == item))


def test_the_documented_lists_become_a_count_and_the_first_few() -> None:
    assert gist(_data("srcShardKeyConfiguration")).startswith(
        "notConfigShardIndexColls: 47 (ycsb.usertable, mgo.mycollection7, mgo.mycollection9, …)"
    )


def test_json_and_the_pseudo_json_of_the_reference_are_read() -> None:
    assert decode('{"a": 1}') == {"a": 1}
    assert decode(_data("dstDbDiskSize")) == {
        "size": "5263360",
        "dstVolumeSize": "19089431762",
        "diskSizeTimes": "1.5",
    }
    assert gist(_data("dstDbDiskSize")) == (
        "size: 5263360; dstVolumeSize: 19089431762; diskSizeTimes: 1.5"
    )


@pytest.mark.parametrize("data", ["", " ", "__import__('os').system('x')", "{'a': open('x')}", "("])
def test_nothing_is_executed_and_nothing_fails(data: str) -> None:
    assert decode(data) is None
    assert gist(data) == data.strip()


@pytest.mark.parametrize(
    "data",
    ["{'a': {(1,2): 3}}", "{'a': {'x', 'y'}}", "{0x" + "f" * 6000 + ": 1}", "[1j]", "[b'x']"],
)
def test_literals_that_json_does_not_have_are_shown_as_they_are(data: str) -> None:
    assert decode(data) is None
    assert gist(data).startswith(data[:100])


def test_a_number_is_shown_as_it_was_sent() -> None:
    assert gist('{"times": 1.50, "n": 10}') == "times: 1.50; n: 10"


@given(st.text())
def test_any_text_has_a_gist_of_one_line_that_is_not_long(data: str) -> None:
    shown = gist(data)
    assert len(shown) <= MAX_GIST + 40
    assert "\n" not in shown or "\n" in data
