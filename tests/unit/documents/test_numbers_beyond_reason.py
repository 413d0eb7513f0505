"""A number that no reader can hold makes the document none; it never reads as null or absent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from precheck_gate.documents import strict_json
from precheck_gate.drs.api import v3_wire, v5
from precheck_gate.drs.api.v3_wire import contents_of, parse_answer
from precheck_gate.errors import NotAnAnswer
from tests.support.harness import TASK, body, entry, item

if TYPE_CHECKING:
    from collections.abc import Callable

BEYOND = [
    "1e99999999999999999999",
    "-1e99999999999999999999",
    "1E+99999999999999999999",
    "1e-99999999999999999999",
    "1.5e99999999999999999999",
    "9" * 5000,
]
PLACE = '"@@"'


def with_number(document: bytes, number: str) -> bytes:
    assert PLACE.encode() in document
    return document.replace(PLACE.encode(), number.encode())


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize("around", ['"@@"', '["@@"]', '{"error_code": "@@"}'])
def test_it_is_no_json(number: str, around: str) -> None:
    with pytest.raises(ValueError, match=r"out of range|digits"):
        strict_json.loads(with_number(around.encode(), number))


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize(
    "content",
    [
        body(entry(), error_code="@@"),
        body(entry(error_code="@@")),
        body(entry(items=[item(error_code="@@")])),
        body(entry(extra="@@")),
    ],
    ids=["top", "task", "item", "a field that nobody reads"],
)
def test_no_error_code_reads_as_none_for_it(content: bytes, number: str) -> None:
    for read in (parse_answer, contents_of):
        with pytest.raises(NotAnAnswer, match="not valid JSON"):
            read(with_number(content, number))


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize(
    ("parse", "started"),
    [
        (v3_wire.parse_started, {"id": TASK, "precheck_id": "p", "status": "success"}),
        (v5.parse_started, {"id": TASK, "query_id": "q"}),
    ],
)
def test_no_start_counts_for_it(
    parse: Callable[[bytes], object], started: dict[str, str], number: str
) -> None:
    entries = [{**started, "error_code": "@@"}]
    with pytest.raises(NotAnAnswer, match="not valid JSON"):
        parse(with_number(json.dumps({"results": entries, "jobs": entries}).encode(), number))


@pytest.mark.parametrize("number", ["1e999999999", "-1e999999999", "1e-999999999", "1e400"])
def test_a_number_that_is_only_large_is_kept_to_the_digit(number: str) -> None:
    # As a float it would read as infinity, or as 0.
    assert (
        strict_json.compact(strict_json.loads(number.encode())).lower().replace("+", "") == number
    )
